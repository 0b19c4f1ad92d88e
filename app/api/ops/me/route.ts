import { relayInstance } from "#dashboard/access/relay-instance.ts";
import { noParameters, parseQuery } from "#dashboard/lists/query-parameters.ts";
import { methods } from "#platform/methods.ts";

import { opsRoute } from "../ops-route.ts";

export const dynamic = "force-dynamic";

const answer = opsRoute(async ({ query, caller: { name, role, via } }) => {
  parseQuery(noParameters, query);
  return { name, role, via, instance: await relayInstance(process.env) };
});

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ GET: answer });
