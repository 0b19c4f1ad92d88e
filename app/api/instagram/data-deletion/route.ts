import { hexFromBytes } from "#platform/bytes.ts";
import { readEnv } from "#platform/env.ts";
import { methods } from "#platform/methods.ts";
import { answerDataDeletion } from "#privacy/answer-data-deletion.ts";

import { getDatabase } from "../../../database.ts";
import { openErasureApi } from "../../../services.ts";
import { answerSignedRequestOptions } from "../signed-request.ts";

const options = answerSignedRequestOptions("DATABASE_URL", "RELAY_URL");

function answer(request: Request): Promise<Response> {
  return answerDataDeletion(request, {
    ...options,
    newCode: () => hexFromBytes(crypto.getRandomValues(new Uint8Array(16))),
    statusUrl: (code) => `${readEnv(process.env, ["RELAY_URL"]).RELAY_URL[0]}/data-deletion/${code}`,
    openDatabase: getDatabase,
    openApi: openErasureApi,
  });
}

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: answer });
