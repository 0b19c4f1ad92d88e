import { answerFailure } from "#ingestion/answer-failure.ts";
import { methods } from "#platform/methods.ts";
import { saveBatchLetter } from "#store/dead-letters.ts";
import { releaseDueEvents } from "#store/open-work.ts";

import { getDatabase } from "../../../services.ts";
import { answerQstashOptions } from "../qstash.ts";

const options = answerQstashOptions("/api/qstash/instagram-failure");

function answer(request: Request): Promise<Response> {
  return answerFailure(request, {
    ...options,
    save: (letter) => saveBatchLetter(getDatabase(), letter),
    release: (eventIds) => releaseDueEvents(getDatabase(), eventIds),
  });
}

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: answer });
