import { payloadKinds } from "#conformance/payloads.ts";
import { readRequest } from "#operations/read-request.ts";
import { sendTestDelivery, testRequest } from "#operations/send-test-delivery.ts";
import { methods } from "#platform/methods.ts";

import { clock } from "../../../log.ts";
import { openTestSending } from "../../../test-deliveries.ts";
import { opsRoute } from "../ops-route.ts";

const schema = testRequest(payloadKinds);

const answer = opsRoute(
  async ({ request }) => sendTestDelivery(await readRequest(request, schema, clock), openTestSending()),
  {
    audit: { action: "test-delivery.send", made: ({ deliveryId }) => deliveryId },
  },
);

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: answer });
