// The options that Meta's two callbacks about a person share.
import { createSignedRequestReader, type SignedRequestReader } from "#instagram/signed-request.ts";
import { type EnvName, readEnv } from "#platform/env.ts";
import type { AnswerSignedRequestOptions } from "#privacy/answer-signed-request.ts";

import { clock, log } from "../../log.ts";

/** For a route that needs these variables beside the app secrets: a missing one is reported before anything is read. */
export function answerSignedRequestOptions(...variables: EnvName[]): AnswerSignedRequestOptions {
  let reader: SignedRequestReader | undefined;
  return {
    clock,
    log,
    openReader: () => {
      const env = readEnv(process.env, ["INSTAGRAM_APP_SECRET", ...variables]);
      return (reader ??= createSignedRequestReader(env.INSTAGRAM_APP_SECRET));
    },
  };
}
