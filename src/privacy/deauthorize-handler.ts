import type { Deauthorization } from "#store/save-deauthorization.ts";

import { answerSignedRequest, type SignedRequestRouteOptions } from "./signed-request-route.ts";

/** Records once that a person took our app's permissions back; nothing of theirs is erased for it. */
export function handleDeauthorize(
  request: Request,
  options: SignedRequestRouteOptions & { save: (deauthorization: Deauthorization) => Promise<boolean> },
): Promise<Response> {
  return answerSignedRequest(request, options, async ({ id, userId, issuedAtMs, secretIndex }) => {
    const recorded = await options.save({ requestId: id, userId, issuedAtMs, recordedAtMs: options.clock.nowMs() });
    options.log.info("deauthorization.recorded", { requestId: id, secretIndex, recorded });
    return Response.json({ recorded }, { headers: { "cache-control": "no-store" } });
  });
}
