import type { Log } from "#platform/log.ts";

import type { Api } from "./api-request.ts";
import type { SigningKeys } from "../store/signing-keys.ts";

export interface SigningKeyRoutes {
  signingKeys: SigningKeys;
  log: Log;
}

/** `/v2/keys`: the pair of signing keys, and its rotation. `/v2/readiness` is asked by Upstash's Python SDK. */
export function registerSigningKeyRoutes(api: Api, { signingKeys, log }: SigningKeyRoutes): void {
  api.get("/v2/keys", (context) => context.json(signingKeys.current()));

  api.get("/v2/readiness", (context) => context.json({ ready: true }));

  api.post("/v2/keys/rotate", async (context) => {
    const pair = await signingKeys.rotate();
    log.info("broker.keys_rotated");
    return context.json(pair);
  });
}
