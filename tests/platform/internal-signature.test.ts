import { describe, expect, test } from "vitest";

import { signInternal } from "#platform/internal-signature.ts";
import { verifyInternal } from "#platform/read-internal.ts";

const body = new TextEncoder().encode('{"deliveryId":"d1"}');
const now = 1_700_000_000_000;
const minute = 60_000;

describe("verifyInternal()", () => {
  test("accepts what the same secret signed, for five minutes either way", async () => {
    const header = await signInternal("secret", body, now);
    for (const at of [now, now + 5 * minute, now - 5 * minute]) {
      expect(await verifyInternal("secret", body, header, at)).toBe(true);
    }
    for (const at of [now + 5 * minute + 1000, now - 5 * minute - 1000]) {
      expect(await verifyInternal("secret", body, header, at)).toBe(false);
    }
  });

  test("refuses another secret, another body and another time", async () => {
    const header = await signInternal("secret", body, now);
    expect(await verifyInternal("other", body, header, now)).toBe(false);
    expect(await verifyInternal("secret", body.slice(1), header, now)).toBe(false);
    expect(await verifyInternal("secret", body, header.replace(/^t=\d+/, `t=${now / 1000 + 1}`), now)).toBe(false);
  });

  test.each([
    null,
    "",
    "t=1",
    "v1=00",
    `t=${now / 1000},v1=xyz`,
    `t=-1,v1=${"0".repeat(64)}`,
    `t=${now / 1000},v1=${"0".repeat(64)},`,
  ])("refuses %s", async (header) => {
    expect(await verifyInternal("secret", body, header, now)).toBe(false);
  });
});
