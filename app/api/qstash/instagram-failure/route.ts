import { answerFailure } from "#ingestion/answer-failure.ts";
import { methods } from "#platform/methods.ts";
import { saveDeadLetter } from "#store/save-dead-letter.ts";

import { getDatabase } from "../../../services.ts";
import { answerQstashOptions } from "../qstash.ts";

const options = answerQstashOptions("/api/qstash/instagram-failure");

function answer(request: Request): Promise<Response> {
  return answerFailure(request, { ...options, save: (letter) => saveDeadLetter(getDatabase(), letter) });
}

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: answer });
