import { describe, expect, test } from "vitest";

import { createNodeSignatureVerifier } from "#ingestion/node-signature-verifier.ts";
import { createSignatureVerifier, isSignature, signBody } from "#instagram/signature.ts";

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

describe.each([createSignatureVerifier, createNodeSignatureVerifier])("%o", (createVerifier) => {
  const verifier = createVerifier(["another", secret]);

  test("accepts any of several secrets and tells which", async () => {
    expect(await verifier.verify(encode(empty), emptySignature)).toBe(1);
    const first = await signBody("another", encode(empty));
    expect(await verifier.verify(encode(empty), first)).toBe(0);
  });

  test("takes the bytes as they came: the same JSON written otherwise does not match", async () => {
    const escaped = encode('{"text":"caf\\u00e9 \\ud83d\\ude80","url":"https:\\/\\/a"}');
    const signature = await signBody(secret, escaped);
    const rewritten = encode(JSON.stringify(JSON.parse(new TextDecoder().decode(escaped))));
    expect(await verifier.verify(escaped, signature)).toBe(1);
    expect(await verifier.verify(rewritten, signature)).toBeNull();
  });

  test.each([
    ["missing", null, false],
    ["empty", "", false],
    ["SHA-1", `sha1=${"a".repeat(40)}`, false],
    ["without its prefix", emptySignature.slice(7), false],
    ["a digit short", emptySignature.slice(0, -1), false],
    ["a digit long", `${emptySignature}0`, false],
    ["in capitals", `sha256=${emptySignature.slice(7).toUpperCase()}`, false],
    ["not hex", `sha256=${"g".repeat(64)}`, false],
    ["sent twice", `${emptySignature}, ${emptySignature}`, false],
    ["of another body", `sha256=${"0".repeat(64)}`, true],
  ])("refuses a signature that is %s", async (_name, header, isWellFormed) => {
    expect(await verifier.verify(encode(empty), header)).toBeNull();
    expect(isSignature(header)).toBe(isWellFormed);
  });

  test("verifies a body of any size", async () => {
    const large = encode(" ".repeat(100_000));
    expect(await verifier.verify(large, await signBody("another", large))).toBe(0);
    expect(await verifier.verify(large, emptySignature)).toBeNull();
  });

  test("keeps many at once apart", async () => {
    const bodies = Array.from({ length: 40 }, (_, index) => encode(`${empty}${" ".repeat(index)}`));
    const signatures = await Promise.all(bodies.map((body) => signBody(secret, body)));
    const checks = bodies.map((body, index) => verifier.verify(body, signatures[index - (index % 2)] ?? null));
    expect((await Promise.all(checks)).map((index) => index !== null)).toEqual(
      bodies.map((_, index) => index % 2 === 0),
    );
  });

  test("keeps nothing of one body for the next", async () => {
    expect(await verifier.verify(encode(`${empty} `), emptySignature)).toBeNull();
    expect(await verifier.verify(encode(empty), emptySignature)).toBe(1);
  });
});
