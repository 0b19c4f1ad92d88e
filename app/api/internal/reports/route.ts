import { offerDirectAnswer } from "#platform/direct-routes.ts";
import { methods } from "#platform/methods.ts";
import { waitUntil } from "@vercel/functions";

import { answerReportsCall } from "../../../reports.ts";

// A tenth of the deliveries bring a report of their own.
offerDirectAnswer("/api/internal/reports", answerReportsCall);

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: (request) => answerReportsCall(request, waitUntil),
});
