import { sendTest } from "#operations/alerts/send-test.ts";
import { readRequest } from "#operations/read-request.ts";
import { emptyRequest } from "#operations/replay-request.ts";
import { methods } from "#platform/methods.ts";

import { openAlerting } from "../../../../alerts.ts";
import { clock } from "../../../../log.ts";
import { opsRoute } from "../../ops-route.ts";

export const dynamic = "force-dynamic";

const answer = opsRoute(
  async ({ request }) => {
    await readRequest(request, emptyRequest, clock);
    return sendTest(openAlerting());
  },
  { audit: { action: "alerts.test" } },
);

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: answer });
