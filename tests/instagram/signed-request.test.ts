import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { createSignedRequestReader } from "#instagram/signed-request.ts";

import { appSecret, payloadOf, signRequest } from "../support/signed-request.ts";

// A known answer, computed with another implementation.
const vector =
  "z0tRpHXj0fnj1bSCpAx63RhDxOpfpXvOkSaLv9FE-e0.eyJ1c2VyX2lkIjoiMTc4NDE0MDAwMDAwMDAwMDEiLCJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsImlzc3VlZF9hdCI6MTcwMDAwMDAwMCwiZXhwaXJlcyI6MTcwMDAwMzYwMH0";

const reader = createSignedRequestReader(["another", appSecret]);
const userId = "17841400000000001";
const read = (payload: unknown) => reader.read(signRequest(payload));

describe("createSignedRequestReader()", () => {
  test("reads a request whose signature is known", async () => {
    expect(await reader.read(vector)).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
      userId,
      issuedAtMs: 1_700_000_000_000,
      expiresAtMs: 1_700_003_600_000,
      secretIndex: 1,
    });
  });

  test("accepts any of several secrets and names the one that fits", async () => {
    const signed = signRequest(payloadOf(userId), { secret: "another" });
    expect(await reader.read(signed)).toMatchObject({ userId, secretIndex: 0 });
  });

  test("gives equal requests the same id and different requests different ones", async () => {
    const ids = [
      await reader.read(vector),
      await read(payloadOf(userId)),
      await read(payloadOf(userId, 1_700_000_001)),
      await read(payloadOf("17841400000000002")),
    ].map(({ id }) => id);
    expect(ids[1]).toBe(ids[0]);
    expect(new Set(ids).size).toBe(3);
    expect(vector).not.toContain(ids[0]);
  });

  test("accepts either part with or without padding", async () => {
    // Lengths of one, two and three modulo three.
    for (const id of ["1", "12", "123"]) {
      const padded = signRequest(payloadOf(id), { padding: true });
      expect(await reader.read(padded)).toMatchObject({ userId: id });
      const [signature, payload] = padded.split(".");
      expect(await reader.read(`${signature?.replace("=", "")}.${payload}`)).toMatchObject({ userId: id });
    }
  });

  test.each([
    ['"218471"', "218471"],
    ["218471", "218471"],
    ["9007199254740993", "9007199254740993"],
    ["178414000000000012345", "178414000000000012345"],
  ])("a user_id written as %s keeps its digits", async (written, expected) => {
    const text = `{"algorithm":"HMAC-SHA256","user_id":${written},"issued_at":1700000000}`;
    expect(await read(text)).toMatchObject({ userId: expected });
  });

  test.each(["1\0", "1".repeat(5_000), "\ud83d", "é 🚀"])("an odd user_id is read as it stands", async (odd) => {
    expect(await read(payloadOf(odd))).toMatchObject({ userId: odd });
  });

  test.each([
    ["1790000000000000", 1_790_000_000_000],
    ["1790000000000000000", 1_790_000_000_000],
    ['"1790000000.5"', 1_790_000_000_500],
    ["1e300", null],
    ["-1", null],
  ])("issued_at %s is read in its unit, or not at all", async (issuedAt, issuedAtMs) => {
    const text = `{"user_id":"1","algorithm":"HMAC-SHA256","issued_at":${issuedAt}}`;
    expect(await read(text)).toMatchObject({ issuedAtMs });
  });

  test.each([
    ["0", null],
    ["1000000000", 1_000_000_000_000],
    ["null", null],
  ])("expires %s is read, however long ago", async (expires, expiresAtMs) => {
    const text = `{"user_id":"1","algorithm":"HMAC-SHA256","expires":${expires}}`;
    expect(await read(text)).toMatchObject({ issuedAtMs: null, expiresAtMs });
  });

  test.each([
    ["signed with another secret", signRequest(payloadOf(userId), { secret: "wrong" })],
    ["signed with an empty payload in mind", `${vector.split(".")[0]}.e30`],
    ["whose payload was changed", vector.replace(/.$/, "8")],
    ["whose signature was changed", `a${vector.slice(1)}`],
    ["without a signature", `.${vector.split(".")[1]}`],
    ["without a payload", `${vector.split(".")[0]}.`],
    ["of three parts", `${vector}.e30`],
    ["of one part", vector.replace(".", "")],
    ["in standard base64", vector.replace("-", "+")],
    ["with white space", `${vector}\n`],
    ["empty", ""],
    ["not base64", "hello.world"],
    ["longer than Meta's ever are", signRequest({ ...payloadOf(userId), more: "x".repeat(9_000) })],
    ["with another algorithm", signRequest({ ...payloadOf(userId), algorithm: "HMAC-SHA1" })],
    ["with the algorithm none", signRequest({ ...payloadOf(userId), algorithm: "none" })],
    ["with the algorithm written otherwise", signRequest({ ...payloadOf(userId), algorithm: "hmac-sha256" })],
    ["without an algorithm", signRequest({ user_id: userId })],
  ])("refuses one %s", async (_name, value) => {
    await expect(reader.read(value)).rejects.toMatchObject({ code: "SIGNATURE_INVALID", status: 401 });
  });

  test.each([
    ["no JSON", "{nope"],
    ["no object", "[1]"],
    ["null", "null"],
    ["nested too deep", "[".repeat(100) + "]".repeat(100)],
    ["from a sign-in by code", { ...payloadOf(userId), code: "abc" }],
    ["from a sign-in by code, which is null", { ...payloadOf(userId), code: null }],
    ["from a sign-in by token", { ...payloadOf(userId), oauth_token: "abc" }],
    ["without a user", { algorithm: "HMAC-SHA256" }],
    ["of an empty user", payloadOf("")],
    ["of a user that is an object", { ...payloadOf(""), user_id: { id: "1" } }],
  ])("a signed payload that is %s is a request that we do not understand", async (_name, payload) => {
    await expect(read(payload)).rejects.toMatchObject({ code: "REQUEST_INVALID", status: 400 });
  });

  test("refuses a signed payload whose bytes are not UTF-8 or not whole", async () => {
    const { createHmac } = await import("node:crypto");
    for (const encoded of ["gICA", "abcde"]) {
      const signature = createHmac("sha256", appSecret).update(encoded).digest("base64url");
      await expect(reader.read(`${signature}.${encoded}`)).rejects.toMatchObject({ code: "REQUEST_INVALID" });
    }
  });

  test("quotes nothing of a request that it refuses", async () => {
    const values = [vector.replace(/.$/, "8"), signRequest({ ...payloadOf(userId), algorithm: "x" }), signRequest("{")];
    for (const value of values) {
      const error = (await reader.read(value).catch((thrown: unknown) => thrown)) as Error;
      expect(error.message).not.toContain(userId);
      expect(error.message).not.toContain(value.slice(0, 10));
    }
  });

  test("refuses every request that was not signed, and throws no other error", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 300 }), async (value) => {
        await expect(reader.read(value)).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
      }),
    );
  });
});

test("the request of docs/OPERATIONS.md for a person who asks the operator is read", async () => {
  const operations = readFileSync(new URL("../../docs/OPERATIONS.md", import.meta.url), "utf8");
  const [, script = "", person = ""] = /^node -e '\n([^']*)' (\d+) \|/m.exec(operations) ?? [];
  const env = { ...process.env, INSTAGRAM_APP_SECRET: `${appSecret}, old` };
  const form = execFileSync(process.execPath, ["-e", script, person], { env, encoding: "utf8" });
  const signed = new URLSearchParams(form).get("signed_request") ?? "";
  expect(await reader.read(signed)).toMatchObject({ userId: "1000000000000101", expiresAtMs: null });
});
