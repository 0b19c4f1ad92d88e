import { createHash, timingSafeEqual } from "node:crypto";

import { Hono } from "hono";

import { describeCause, type Log } from "#platform/log.ts";

import { ApiError, notSupported } from "./api-error.ts";
import { type Api, targetOf } from "./api-request.ts";
import { type DeadLetterRoutes, registerDeadLetterRoutes } from "./dead-letter-routes.ts";
import { type EventRoutes, registerEventRoutes } from "./event-routes.ts";
import { type MessageRoutes, registerMessageRoutes } from "./message-routes.ts";
import { type PublishRoutes, registerPublishRoutes } from "./publish-routes.ts";

export interface HttpApiOptions extends PublishRoutes, MessageRoutes, DeadLetterRoutes, EventRoutes {
  token: string;
  currentSigningKey: string;
  nextSigningKey: string;
  log: Log;
}

/** The part of QStash's HTTP API that this broker speaks; the rest of it answers 501. Errors are `{"error":"…"}`. */
export function createHttpApi(options: HttpApiOptions): Api {
  // Routes see the path as it was sent: parsed as a URL, `..` and `//` of a destination would be lost.
  const api: Api = new Hono({ getPath: (_request, context) => targetOf(context?.env?.incoming)[0] });
  const expectedToken = digest(options.token);

  api.use(async (context, next) => {
    const bearer = /^Bearer (.+)$/i.exec(context.req.header("authorization") ?? "")?.[1];
    const token = bearer ?? new URLSearchParams(targetOf(context.env.incoming)[1]).get("qstash_token") ?? "";
    if (!timingSafeEqual(digest(token), expectedToken)) {
      throw new ApiError(401, "unable to authenticate: invalid token");
    }
    await next();
  });

  registerPublishRoutes(api, options);
  registerMessageRoutes(api, options);
  registerDeadLetterRoutes(api, options);
  registerEventRoutes(api, options);
  api.get("/v2/keys", (context) => context.json({ current: options.currentSigningKey, next: options.nextSigningKey }));

  api.notFound(({ req }) => {
    throw notSupported(`${req.method} ${req.path.split("/", 3).join("/")}`);
  });
  api.onError((thrown, context) => {
    if (thrown instanceof ApiError) return context.json({ error: thrown.message }, thrown.status);
    options.log.error("broker.request_failed", { method: context.req.method, ...describeCause(thrown) });
    return context.json({ error: "the broker could not handle the request" }, 500);
  });
  return api;
}

/** Digests have one length, which comparing in constant time needs. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
