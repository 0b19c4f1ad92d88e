import { describe, expect, test } from "vitest";

import { createSignatureVerifier, signBody } from "#instagram/signature.ts";

const encode = (text: string) => new TextEncoder().encode(text);
// Known answers, computed with another implementation.
const secret = "test-app-secret";
const empty = '{"object":"instagram","entry":[]}';
const emptySignature = "sha256=bb441adf604237753804d2f51dbef920e26f17e8c1155dbe818684eb2b577890";

describe("signBody()", () => {
  test("writes the header that Meta would", async () => {
    expect(await signBody(secret, encode(empty))).toBe(emptySignature);
  });
});

describe("createSignatureVerifier()", () => {
  const verifier = createSignatureVerifier(["another", secret]);

  test("accepts any of several secrets and tells which", async () => {
    expect(await verifier.verify(encode(empty), emptySignature)).toEqual({ valid: true, secretIndex: 1 });
    const first = await signBody("another", encode(empty));
    expect(await verifier.verify(encode(empty), first)).toEqual({ valid: true, secretIndex: 0 });
  });

  test("takes the bytes as they came: the same JSON written otherwise does not match", async () => {
    const escaped = encode('{"text":"caf\\u00e9 \\ud83d\\ude80","url":"https:\\/\\/a"}');
    const signature = await signBody(secret, escaped);
    const rewritten = encode(JSON.stringify(JSON.parse(new TextDecoder().decode(escaped))));
    expect(await verifier.verify(escaped, signature)).toEqual({ valid: true, secretIndex: 1 });
    expect(await verifier.verify(rewritten, signature)).toEqual({ valid: false, reason: "mismatch" });
  });

  test.each([
    ["missing", null, "missing"],
    ["empty", "", "missing"],
    ["SHA-1", `sha1=${"a".repeat(40)}`, "malformed"],
    ["without its prefix", emptySignature.slice(7), "malformed"],
    ["a digit short", emptySignature.slice(0, -1), "malformed"],
    ["a digit long", `${emptySignature}0`, "malformed"],
    ["in capitals", `sha256=${emptySignature.slice(7).toUpperCase()}`, "malformed"],
    ["not hex", `sha256=${"g".repeat(64)}`, "malformed"],
    ["sent twice", `${emptySignature}, ${emptySignature}`, "malformed"],
    ["of another body", `sha256=${"0".repeat(64)}`, "mismatch"],
  ])("refuses a signature that is %s", async (_name, header, reason) => {
    expect(await verifier.verify(encode(empty), header)).toEqual({ valid: false, reason });
  });

  test("keeps many at once apart", async () => {
    const bodies = Array.from({ length: 40 }, (_, index) => encode(`${empty}${" ".repeat(index)}`));
    const signatures = await Promise.all(bodies.map((body) => signBody(secret, body)));
    const checks = bodies.map((body, index) => verifier.verify(body, signatures[index - (index % 2)] ?? null));
    expect((await Promise.all(checks)).map(({ valid }) => valid)).toEqual(bodies.map((_, index) => index % 2 === 0));
  });

  test("keeps nothing of one body for the next", async () => {
    expect(await verifier.verify(encode(`${empty} `), emptySignature)).toEqual({ valid: false, reason: "mismatch" });
    expect(await verifier.verify(encode(empty), emptySignature)).toEqual({ valid: true, secretIndex: 1 });
  });
});
