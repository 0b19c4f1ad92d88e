import type { Database } from "#store/database.ts";
import { eraseRecorded, recordDeletion } from "#store/erase-person.ts";

import { answerSignedRequest, type SignedRequestRouteOptions } from "./signed-request-route.ts";

export interface DataDeletionOptions extends SignedRequestRouteOptions {
  /** A fresh confirmation code: letters and digits, and nobody can guess it. */
  newCode: () => string;
  /** Where a person sees the status of a code. Throws `ENV_INVALID` if our own address is missing. */
  statusUrl: (code: string) => string;
  openDatabase: () => Database;
}

/**
 * Erases what is stored of a person and answers where to see that it is done. The request is recorded first; the answer
 * is given once everything is erased, so whoever gets an error instead may repeat the request and it goes on. The same
 * request gets the same code, however often and however simultaneously it comes.
 * https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
 */
export function handleDataDeletion(call: Request, options: DataDeletionOptions): Promise<Response> {
  const { clock, log } = options;
  return answerSignedRequest(call, options, async ({ id, userId, secretIndex }) => {
    const db = options.openDatabase();
    const startedAt = clock.monotonicMs();
    const request = { requestId: id, userId, code: options.newCode(), requestedAtMs: clock.nowMs() };
    const recorded = await recordDeletion(db, request);
    log.info("data_deletion.recorded", { requestId: id, secretIndex, recorded });

    const { code, erased } = await eraseRecorded(db, id, () => clock.nowMs());
    log.info("data_deletion.completed", { requestId: id, erased, durationMs: clock.monotonicMs() - startedAt });
    const answer = { url: options.statusUrl(code), confirmation_code: code };
    return Response.json(answer, { headers: { "cache-control": "no-store" } });
  });
}
