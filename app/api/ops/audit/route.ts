import { parseAuditFilter, readAudit } from "#dashboard/access/read-audit.ts";
import { methods } from "#platform/methods.ts";

import { getReads } from "../../../database.ts";
import { opsRoute } from "../ops-route.ts";

export const dynamic = "force-dynamic";

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  GET: opsRoute(({ query }) => readAudit(getReads(), parseAuditFilter(query))),
});
