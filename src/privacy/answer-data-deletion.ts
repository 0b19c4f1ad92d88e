import type { Database } from "#store/connection/database.ts";
import { recordDeletion } from "#store/erasure/data-deletions.ts";

import { answerSignedRequest, type AnswerSignedRequestOptions } from "./answer-signed-request.ts";
import { carryOutDeletion } from "./carry-out-deletion.ts";
import type { ErasureApi } from "./erasure-api.ts";

export interface AnswerDataDeletionOptions extends AnswerSignedRequestOptions {
  /** A fresh confirmation code: unguessable letters and digits. */
  newCode: () => string;
  /** The address of a code's status page. Throws `ENV_INVALID` without a public address. */
  statusUrl: (code: string) => string;
  openDatabase: () => Database;
  /** For QStash's dead letters. */
  openApi: () => ErasureApi;
}

/** Meta waits for the answer; what takes longer is continued by maintenance. */
const budgetMs = 8_000;

/**
 * Erases what is stored about a person, here and at QStash, and answers with the address of the status page. The request is
 * recorded first; what the budget leaves over is continued by maintenance, as after an error. The same request gets the
 * same code, however often it comes, also at once.
 * https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
 */
export function answerDataDeletion(request: Request, options: AnswerDataDeletionOptions): Promise<Response> {
  const { clock, log } = options;
  return answerSignedRequest(request, options, async ({ id, userId, secretIndex }) => {
    const db = options.openDatabase();
    const startedAt = clock.monotonicMs();
    const deletion = { requestId: id, userId, code: options.newCode(), requestedAtMs: clock.nowMs() };
    const recorded = await recordDeletion(db, deletion);
    log.info("data_deletion.recorded", { requestId: id, secretIndex, recorded });

    const carryOut = { db, api: options.openApi(), clock };
    const { code, erased, isComplete } = await carryOutDeletion(carryOut, id, startedAt + budgetMs);
    const durationMs = clock.monotonicMs() - startedAt;
    log.info(isComplete ? "data_deletion.completed" : "data_deletion.continues", { requestId: id, erased, durationMs });
    const body = { url: options.statusUrl(code), confirmation_code: code };
    return Response.json(body, { headers: { "cache-control": "no-store" } });
  });
}
