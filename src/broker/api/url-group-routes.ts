import type { Clock } from "#platform/clock.ts";

import { ApiError } from "./api-error.ts";
import { type Api, readJsonBody } from "./api-request.ts";
import { assertDeliverable } from "./destination.ts";
import { assertName, decodeSegment } from "./names.ts";
import { isStorable } from "../text.ts";
import type { Endpoint, UrlGroup, UrlGroupStore } from "../store/url-group-store.ts";

export interface UrlGroupRoutes {
  urlGroups: UrlGroupStore;
  clock: Clock;
}

/** `/v2/topics`, QStash's former word for URL groups. */
export function registerUrlGroupRoutes(api: Api, { urlGroups, clock }: UrlGroupRoutes): void {
  api.get("/v2/topics", async (context) => context.json((await urlGroups.list()).map(toJson)));

  api.get("/v2/topics/:name", async (context) => {
    const group = await urlGroups.read(decodeSegment(context.req.param("name")));
    if (!group) throw notFound();
    return context.json(toJson(group));
  });

  api.post("/v2/topics/:name/endpoints", async (context) => {
    const name = assertName(decodeSegment(context.req.param("name")), "url group name");
    const endpoints = parseEndpoints(await readJsonBody(context)).map(({ name: named, url }): Endpoint => {
      assertDeliverable(url ?? "", "endpoint");
      return { name: named ?? null, url: url ?? "" };
    });
    await urlGroups.addEndpoints(name, endpoints, clock.nowMs());
    return context.json({});
  });

  api.delete("/v2/topics/:name/endpoints", async (context) => {
    const endpoints = parseEndpoints(await readJsonBody(context));
    const removed = await urlGroups.removeEndpoints(decodeSegment(context.req.param("name")), endpoints, clock.nowMs());
    if (!removed) throw notFound();
    return context.json({});
  });

  // Deleting what is not there is fine: QStash lists no 404 here, and its Python SDK's suite deletes first.
  api.delete("/v2/topics/:name", async (context) => {
    await urlGroups.remove(decodeSegment(context.req.param("name")));
    return context.json({});
  });
}

function toJson(group: UrlGroup): Record<string, unknown> {
  return {
    name: group.name,
    createdAt: group.createdAtMs,
    updatedAt: group.updatedAtMs,
    endpoints: group.endpoints.map(({ name, url }) => ({ name: name ?? undefined, url })),
  };
}

function parseEndpoints(body: unknown): Partial<Endpoint>[] {
  const { endpoints }: Record<string, unknown> = Object(body);
  if (!Array.isArray(endpoints) || endpoints.length === 0) throw new ApiError(400, "the body has no endpoints");
  return endpoints.map((endpoint: unknown) => {
    const { name, url }: Record<string, unknown> = Object(endpoint);
    if (![name, url].every(isText) || (isAbsent(name) && isAbsent(url))) {
      throw new ApiError(400, "an endpoint has neither name nor url");
    }
    return { ...(isAbsent(name) ? {} : { name: String(name) }), ...(isAbsent(url) ? {} : { url: String(url) }) };
  });
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}

/** Absent, or a text that Postgres can keep and an index can hold. */
function isText(value: unknown): boolean {
  if (isAbsent(value)) return true;
  return typeof value === "string" && isStorable(value);
}

function notFound(): ApiError {
  return new ApiError(404, "url group not found");
}
