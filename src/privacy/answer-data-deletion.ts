import type { Database } from "#store/database.ts";
import { eraseRecorded, recordDeletion } from "#store/erase-person.ts";

import { answerSignedRequest, type AnswerSignedRequestOptions } from "./answer-signed-request.ts";

export interface AnswerDataDeletionOptions extends AnswerSignedRequestOptions {
  /** A fresh confirmation code: unguessable letters and digits. */
  newCode: () => string;
  /** The address of a code's status page. Throws `ENV_INVALID` without a public address. */
  statusUrl: (code: string) => string;
  openDatabase: () => Database;
}

/**
 * Erases what is stored about a person and answers with the address of the status page. The request is recorded first and
 * answered when everything is erased; after an error the sender may repeat it, and the erasure continues. The same request
 * gets the same code, however often it comes, also at once.
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

    const { code, erased } = await eraseRecorded(db, id, () => clock.nowMs());
    log.info("data_deletion.completed", { requestId: id, erased, durationMs: clock.monotonicMs() - startedAt });
    const body = { url: options.statusUrl(code), confirmation_code: code };
    return Response.json(body, { headers: { "cache-control": "no-store" } });
  });
}
