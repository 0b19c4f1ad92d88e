import { acknowledgeRequest, decideAlert } from "#operations/alerts/decide-alert.ts";
import { readRequest } from "#operations/read-request.ts";
import { methods } from "#platform/methods.ts";

import { clock, log } from "../../../../../log.ts";
import { getDatabase } from "../../../../../database.ts";
import { opsRoute } from "../../../ops-route.ts";

export const dynamic = "force-dynamic";

const answer = opsRoute<{ rule: string }>(
  async ({ request, params: { rule }, actor }) => {
    const asked = await readRequest(request, acknowledgeRequest, clock);
    const scopes = await decideAlert(
      { action: "acknowledge", rule, ...asked },
      { db: getDatabase(), clock, log, actor },
    );
    return { rule, scopes };
  },
  { audit: { action: "alerts.acknowledge", target: ({ rule }) => rule } },
);

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: answer });
