import { createHmac } from "node:crypto";

import { describe, expect, test, vi } from "vitest";

import { nodeDigests } from "#ingestion/node-digests.ts";
import { systemClock } from "#platform/clock.ts";
import { verifyDelivery } from "#queue/qstash/verify-delivery.ts";

import { signDelivery, signingKeys, type TokenOptions } from "../../support/qstash-token.ts";

const url = "https://relay.example/api/qstash/instagram-ingestion";
const old = "https://old.example/api/qstash/instagram-ingestion";
const options = { ...signingKeys, urls: [url, old], clock: systemClock, digests: nodeDigests };
const encode = (text: string) => new TextEncoder().encode(text);
const body = encode('{"version":1}');
const sign = (overrides: Partial<TokenOptions> = {}) => signDelivery({ body, sub: url, ...overrides });
const verify = (token: string | null, received = body) => verifyDelivery(token, async () => received, options);

/** Claims as text, which need be nothing that JSON.stringify writes. */
function signText(claims: string, key = signingKeys.currentSigningKey): string {
  const signed = ['{"alg":"HS256"}', claims].map((part) => Buffer.from(part).toString("base64url")).join(".");
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
}

describe("verifyDelivery()", () => {
  test.each([
    ["the current key", {}],
    ["the next key", { key: signingKeys.nextSigningKey }],
    ["another of our addresses", { sub: old }],
    ["another form of our address", { sub: "HTTPS://Relay.example:443//api/qstash/instagram-ingestion" }],
  ])("accepts %s", async (_name, overrides) => {
    expect(await verify(await sign(overrides))).toBe('{"version":1}');
  });

  test("keeps a BOM", async () => {
    const withBom = encode("\uFEFF{}");
    expect(await verify(await sign({ body: withBom }), withBom)).toBe("\uFEFF{}");
  });

  const now = Math.floor(Date.now() / 1000);
  test.each<[string, Partial<TokenOptions>]>([
    ["a forged key", { key: "sig_forged" }],
    ["another address", { sub: "https://elsewhere.example/api/qstash/instagram-ingestion" }],
    ["another route of ours", { sub: "https://relay.example/api/qstash/instagram-failure" }],
    ["an expired token", { expiresAt: now - 10 }],
    ["a token that never expires", { expiresAt: null }],
    ["another issuer", { issuer: "Somebody" }],
    ["another body", { body: encode("{}") }],
    ["another algorithm", { header: { alg: "HS512" } }],
    ["an extension of the format", { header: { alg: "HS256", crit: ["b64"], b64: true } }],
    ["a token that is not valid yet", { notBefore: now + 60 }],
  ])("refuses %s", async (_name, overrides) => {
    await expect(verify(await sign(overrides))).rejects.toMatchObject({
      code: "SIGNATURE_INVALID",
      status: 401,
    });
  });

  test.each<[string, Partial<TokenOptions>]>([
    ["a forged key", { key: "sig_forged" }],
    ["another address", { sub: "https://elsewhere.example/api/qstash/instagram-ingestion" }],
    ["an expired token", { expiresAt: now - 10 }],
    ["another issuer", { issuer: "Somebody" }],
  ])("refuses %s before the body is read", async (_name, overrides) => {
    const readBody = () => expect.unreachable();
    const token = await sign(overrides);
    await expect(verifyDelivery(token, readBody, options)).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
  });

  test.each([null, "", "nonsense", "a.b.c"])("refuses %j for a token", async (token) => {
    await expect(verify(token)).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
  });

  test.each(["", "=", "AAAA", "\u{1F511}"])("refuses %j for the token's signature", async (mac) => {
    const token = await sign();
    const forged = `${token.slice(0, token.lastIndexOf("."))}.${mac}`;
    await expect(verify(forged)).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
  });

  test("refuses another encoding of the signature's bytes", async () => {
    const [head, claims, mac = ""] = (await sign()).split(".");
    const bytes = Buffer.from(mac, "base64url");
    const others = [
      bytes.toString("base64"),
      bytes.toString("hex"),
      `${mac}!`,
      `${mac}\u00E9`,
      ` ${mac}`,
      mac.slice(0, -1),
    ];
    for (const other of others) {
      await expect(verify(`${head}.${claims}.${other}`)).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
    }
  });

  test("refuses a token that expires at infinity", async () => {
    const claims = { iss: "Upstash", sub: url, exp: 0, body: nodeDigests.sha256(body) };
    expect(await verify(signText(JSON.stringify({ ...claims, exp: now + 60 })))).toBe('{"version":1}');
    const forEver = signText(JSON.stringify(claims).replace('"exp":0', '"exp":1e400'));
    await expect(verify(forEver)).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
  });

  test("refuses what anyone can sign where a key is empty", async () => {
    const claims = JSON.stringify({ iss: "Upstash", sub: url, exp: now + 60, body: nodeDigests.sha256(body) });
    const withEmptyKey = { ...options, nextSigningKey: "" };
    await expect(verifyDelivery(signText(claims, ""), async () => body, withEmptyKey)).rejects.toMatchObject({
      code: "SIGNATURE_INVALID",
    });
  });

  test("refuses a token without a signature", async () => {
    const claims = (await sign()).split(".")[1] ?? "";
    const head = btoa('{"alg":"none"}').replace(/=+$/, "");
    await expect(verify(`${head}.${claims}.`)).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
  });

  test("does not accept the public development keys, whatever QSTASH_DEV says", async () => {
    vi.stubEnv("QSTASH_DEV", "true");
    try {
      // The SDK's own development key, which anybody can read.
      const forged = await sign({ key: "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r" });
      await expect(verify(forged)).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
    } finally {
      vi.unstubAllEnvs();
    }
  });
});
