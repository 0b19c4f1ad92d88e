import { createHash, timingSafeEqual } from "node:crypto";

import { Hono } from "hono";

import { describeCause, type Log } from "#platform/log.ts";

import { ApiError, notSupported } from "./api-error.ts";
import { type Api, readToken, targetOf } from "./api-request.ts";
import { type DeadLetterRoutes, registerDeadLetterRoutes } from "./dead-letter-routes.ts";
import { type EventRoutes, registerEventRoutes } from "./event-routes.ts";
import { type FlowControlRoutes, registerFlowControlRoutes } from "./flow-control-routes.ts";
import { type MessageRoutes, registerMessageRoutes } from "./message-routes.ts";
import { type PublishRoutes, registerPublishRoutes } from "./publish-routes.ts";
import { type QueueRoutes, registerQueueRoutes } from "./queue-routes.ts";
import type { Quotas } from "./quotas.ts";
import { registerScheduleRoutes, type ScheduleRoutes } from "./schedule-routes.ts";
import { registerSigningKeyRoutes, type SigningKeyRoutes } from "./signing-key-routes.ts";
import { registerUrlGroupRoutes, type UrlGroupRoutes } from "./url-group-routes.ts";

export interface HttpApiOptions
  extends
    Omit<PublishRoutes, "countMessages">,
    MessageRoutes,
    DeadLetterRoutes,
    EventRoutes,
    FlowControlRoutes,
    QueueRoutes,
    ScheduleRoutes,
    UrlGroupRoutes,
    SigningKeyRoutes {
  token: string;
  quotas: Quotas;
  log: Log;
}

/** Upstash limits the bursts of everything but these. */
const unlimited = /^\/v2\/(publish|enqueue|batch)(\/|$)/;

/** The part of QStash's HTTP API that this broker speaks; the rest of it answers 501. Errors are `{"error":"…"}`. */
export function createHttpApi(options: HttpApiOptions): Api {
  // Routes see the path as it was sent: parsed as a URL, `..` and `//` of a destination would be lost.
  const api: Api = new Hono({ getPath: (_request, context) => targetOf(context?.env?.incoming)[0] });
  const expectedToken = digest(options.token);
  const isToken = (text: string | null | undefined) => timingSafeEqual(digest(text ?? ""), expectedToken);

  api.use(async (context, next) => {
    const bearer = /^Bearer (.+)$/i.exec(context.env.incoming.headers.authorization ?? "")?.[1];
    // The query is looked at, too: a webhook's sender has an authorization of its own.
    if (!isToken(bearer) && !isToken(readToken(context))) {
      throw new ApiError(401, "unable to authenticate: invalid token");
    }
    if (!unlimited.test(context.req.path)) options.quotas.countRequest();
    await next();
  });

  registerPublishRoutes(api, { ...options, countMessages: options.quotas.countMessages });
  registerMessageRoutes(api, options);
  registerDeadLetterRoutes(api, options);
  registerEventRoutes(api, options);
  registerFlowControlRoutes(api, options);
  registerQueueRoutes(api, options);
  registerScheduleRoutes(api, options);
  registerUrlGroupRoutes(api, options);
  registerSigningKeyRoutes(api, options);

  api.notFound(({ req }) => {
    throw notSupported(`${req.method} ${req.path}`);
  });
  api.onError((thrown, context) => {
    if (thrown instanceof ApiError) return context.json({ error: thrown.message }, thrown.status, thrown.headers);
    options.log.error("broker.request_failed", { method: context.req.method, ...describeCause(thrown) });
    return context.json({ error: "the broker could not handle the request" }, 500);
  });
  return api;
}

/** Digests have one length, which comparing in constant time needs. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
