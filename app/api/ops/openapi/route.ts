import { payloadKinds } from "#conformance/payloads.ts";
import { noParameters, parseQuery } from "#dashboard/lists/query-parameters.ts";
import { describeApi } from "#dashboard/openapi/describe-api.ts";
import { opsRoutes } from "#dashboard/openapi/ops-routes.ts";
import { methods } from "#platform/methods.ts";
import { readRelayUrls } from "#platform/relay-urls.ts";

import packageJson from "../../../../package.json" with { type: "json" };
import { opsRoute } from "../ops-route.ts";

export const dynamic = "force-dynamic";

const answer = opsRoute(async ({ query }) => {
  parseQuery(noParameters, query);
  return describeApi(opsRoutes(payloadKinds), {
    version: packageJson.version,
    serverUrls: readRelayUrls(process.env),
  });
});

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ GET: answer });
