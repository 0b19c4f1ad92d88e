import type { Deauthorization } from "#store/erasure/save-deauthorization.ts";

import { answerSignedRequest, type AnswerSignedRequestOptions } from "./answer-signed-request.ts";

export interface AnswerDeauthorizeOptions extends AnswerSignedRequestOptions {
  /** Resolves with whether the record is new. */
  save: (deauthorization: Deauthorization) => Promise<boolean>;
}

/** Records once that a person revoked the app's permissions. Nothing is erased: that is another callback. */
export function answerDeauthorize(request: Request, options: AnswerDeauthorizeOptions): Promise<Response> {
  return answerSignedRequest(request, options, async ({ id, userId, issuedAtMs, secretIndex }) => {
    const recorded = await options.save({ requestId: id, userId, issuedAtMs, recordedAtMs: options.clock.nowMs() });
    options.log.info("deauthorization.recorded", { requestId: id, secretIndex, recorded });
    return Response.json({ recorded }, { headers: { "cache-control": "no-store" } });
  });
}
