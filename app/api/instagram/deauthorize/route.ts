import { methods } from "#platform/methods.ts";
import { answerDeauthorize } from "#privacy/answer-deauthorize.ts";
import { saveDeauthorization } from "#store/erasure/save-deauthorization.ts";

import { getDatabase } from "../../../database.ts";
import { answerSignedRequestOptions } from "../signed-request.ts";

const options = answerSignedRequestOptions("DATABASE_URL");

function answer(request: Request): Promise<Response> {
  return answerDeauthorize(request, { ...options, save: (given) => saveDeauthorization(getDatabase(), given) });
}

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: answer });
