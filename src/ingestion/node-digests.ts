import { createHash, createHmac, timingSafeEqual } from "node:crypto";

import type { Digests } from "#queue/qstash/verify-delivery.ts";

/** Node's digests, which are made at once on the calling thread. */
export const nodeDigests: Digests = {
  sha256: (bytes) => createHash("sha256").update(bytes).digest("base64url"),
  isHmacSha256(key, text, mac) {
    // As text: decoding would pass over characters that are not of base64url, and take those of base64 for them.
    const expected = Buffer.from(createHmac("sha256", key).update(text).digest("base64url"));
    const given = Buffer.from(mac);
    return given.byteLength === expected.byteLength && timingSafeEqual(given, expected);
  },
};
