import { describe, expect, test } from "vitest";

import { systemClock } from "#platform/clock.ts";
import { internalSignatureHeader, signInternal, verifyInternal } from "#platform/internal-signature.ts";
import { readInternal } from "#platform/read-internal.ts";

const body = new TextEncoder().encode('{"deliveryId":"d1"}');
const now = 1_700_000_000_000;
const purpose = "POST /api/internal/reports";
const minute = 60_000;

describe("verifyInternal()", () => {
  test("accepts what the same secret signed, for five minutes either way", async () => {
    const header = await signInternal("secret", purpose, body, now);
    for (const at of [now, now + 5 * minute, now - 5 * minute]) {
      expect(await verifyInternal("secret", purpose, body, header, at)).toBe(true);
    }
    for (const at of [now + 5 * minute + 1000, now - 5 * minute - 1000]) {
      expect(await verifyInternal("secret", purpose, body, header, at)).toBe(false);
    }
  });

  test("refuses another secret, another body and another time", async () => {
    const header = await signInternal("secret", purpose, body, now);
    expect(await verifyInternal("other", purpose, body, header, now)).toBe(false);
    expect(await verifyInternal("secret", purpose, body.slice(1), header, now)).toBe(false);
    expect(await verifyInternal("secret", purpose, body, header.replace(/^t=\d+/, `t=${now / 1000 + 1}`), now)).toBe(
      false,
    );
  });

  test("refuses another purpose, so that a call to one route is none to another, and the format without one", async () => {
    const header = await signInternal("secret", purpose, body, now);
    expect(await verifyInternal("secret", "POST /api/internal/fallback-ingestion", body, header, now)).toBe(false);
    expect(await verifyInternal("secret", "PUT /api/internal/reports", body, header, now)).toBe(false);
    expect(await verifyInternal("secret", purpose, body, header.replace("v2=", "v1="), now)).toBe(false);
  });

  test.each([
    null,
    "",
    "t=1",
    "v2=00",
    `t=${now / 1000},v2=xyz`,
    `t=-1,v2=${"0".repeat(64)}`,
    `t=${now / 1000},v2=${"0".repeat(64)},`,
  ])("refuses %s", async (header) => {
    expect(await verifyInternal("secret", purpose, body, header, now)).toBe(false);
  });
});

describe("readInternal()", () => {
  const options = { readSecrets: () => ["secret"], bytesMax: 100, timeoutMs: 5_000, clock: systemClock };
  const call = (header: string) => {
    let pulled = 0;
    const stream = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          pulled += 1;
          controller.enqueue(body);
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const init = { method: "POST", body: stream, duplex: "half", headers: { [internalSignatureHeader]: header } };
    return { request: new Request("http://localhost/api/internal/reports", init), pulled: () => pulled };
  };

  test("reads the body of a call of ours", async () => {
    const { request, pulled } = call(await signInternal("secret", purpose, body, Date.now()));
    expect([await readInternal(request, options), pulled()]).toEqual([body, 1]);
  });

  test.each(["new", "secret"])(
    "reads what either of two secrets signed, while they are rotated: %s",
    async (signedWith) => {
      const { request } = call(await signInternal(signedWith, purpose, body, Date.now()));
      expect(await readInternal(request, { ...options, readSecrets: () => ["new", "secret"] })).toEqual(body);
    },
  );

  test("reads nothing that neither of two secrets signed", async () => {
    const { request } = call(await signInternal("former", purpose, body, Date.now()));
    const reading = readInternal(request, { ...options, readSecrets: () => ["new", "secret"] });
    await expect(reading).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
  });

  test.each([
    ["no signature", () => ""],
    ["a malformed one", () => "t=1,v2=00"],
    ["one of yesterday", () => signInternal("secret", purpose, body, Date.now() - 24 * 60 * minute)],
  ])("leaves the body unread with %s", async (_name, sign) => {
    const { request, pulled } = call(await sign());
    await expect(readInternal(request, options)).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
    expect(pulled()).toBe(0);
  });
});
