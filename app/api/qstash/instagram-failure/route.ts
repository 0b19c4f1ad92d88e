import { answerFailure } from "#ingestion/answer-failure.ts";
import { methods } from "#platform/methods.ts";
import { saveBatchLetter } from "#store/dead-letters/dead-letters.ts";
import { releaseDueEvents } from "#store/handling/open-work.ts";

import { getDatabase } from "../../../database.ts";
import { clock } from "../../../log.ts";
import { answerQstashAt } from "../qstash.ts";

const answerCall = answerQstashAt("/api/qstash/instagram-failure");

function answer(request: Request): Promise<Response> {
  return answerFailure(request, answerCall, {
    clock,
    save: (letter) => saveBatchLetter(getDatabase(), letter),
    release: (eventIds) => releaseDueEvents(getDatabase(), eventIds),
  });
}

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: answer });
