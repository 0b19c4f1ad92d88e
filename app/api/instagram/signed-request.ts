// What both of Meta's callbacks about a person are built from.
import type { SignedRequestRouteOptions } from "#privacy/signed-request-route.ts";
import { createSignedRequestReader, type SignedRequestReader } from "#instagram/signed-request.ts";
import { systemClock } from "#platform/clock.ts";
import { type EnvName, readEnv } from "#platform/env.ts";

import { log } from "../../log.ts";

/** Options for a route that needs these variables beside the app secrets: every gap is told before anything is read. */
export function signedRequestRouteOptions(...variables: EnvName[]): SignedRequestRouteOptions {
  let reader: SignedRequestReader | undefined;
  return {
    clock: systemClock,
    log,
    openReader: () => {
      const env = readEnv(process.env, ["INSTAGRAM_APP_SECRET", ...variables]);
      return (reader ??= createSignedRequestReader(env.INSTAGRAM_APP_SECRET));
    },
  };
}
