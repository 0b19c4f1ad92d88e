import { createHash, createHmac, timingSafeEqual } from "node:crypto";

import type { Digests } from "#queue/qstash/verify-delivery.ts";

/** Node's digests, which are made at once on the calling thread. */
export const nodeDigests: Digests = {
  sha256: (bytes) => createHash("sha256").update(bytes).digest("base64url"),
  isHmacSha256(key, text, mac) {
    const expected = createHmac("sha256", key).update(text).digest();
    const given = Buffer.from(mac, "base64url");
    return given.byteLength === expected.byteLength && timingSafeEqual(given, expected);
  },
};
