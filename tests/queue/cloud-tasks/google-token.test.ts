import { exportPKCS8, generateKeyPair } from "jose";
import { describe, expect, test } from "vitest";

import { systemClock } from "#platform/clock.ts";
import { readEnv } from "#platform/env.ts";
import { createGoogleToken } from "#queue/cloud-tasks/google-token.ts";

import { accountOf } from "./stand-in.ts";

const { privateKey } = await generateKeyPair("RS256", { extractable: true });
const file = {
  type: "service_account",
  client_email: "relay@example.iam.gserviceaccount.com",
  private_key_id: "key-1",
  private_key: await exportPKCS8(privateKey),
};
const json = JSON.stringify(file);

describe("createGoogleToken()", () => {
  const startMs = Date.now();
  let nowMs = startMs;
  const token = createGoogleToken(accountOf(json), "https://a.example/", { ...systemClock, nowMs: () => nowMs });

  test("signs one token for most of an hour, also for requests at the same time", async () => {
    const [first, second] = await Promise.all([token.get(), token.get()]);
    expect(second).toBe(first);
    nowMs = startMs + 54 * 60_000;
    expect(await token.get()).toBe(first);
    nowMs = startMs + 56 * 60_000;
    expect(await token.get()).not.toBe(first);
  });

  test("signs another one after Google did not accept the last", async () => {
    const refused = await token.get();
    nowMs += 1_000;
    expect(await token.get()).toBe(refused);
    token.drop();
    expect(await token.get()).not.toBe(refused);
  });
});

describe("GOOGLE_SERVICE_ACCOUNT_KEY", () => {
  const read = (value: string) => () => readEnv({ GOOGLE_SERVICE_ACCOUNT_KEY: value }, ["GOOGLE_SERVICE_ACCOUNT_KEY"]);

  test("is the key file, also with the line breaks that a shell made of it", () => {
    const expected = read(json)();
    expect(expected.GOOGLE_SERVICE_ACCOUNT_KEY).toMatchObject({ email: file.client_email, keyId: "key-1" });
    expect(read(json.replaceAll("\\n", "\n"))()).toEqual(expected);
    expect(read(JSON.stringify(file, null, 2).replaceAll("\n", "\r\n"))()).toEqual(expected);
  });

  test.each<[string, string]>([
    ["the key alone", file.private_key],
    ["no key's id", JSON.stringify({ ...file, private_key_id: undefined })],
    ["no account", JSON.stringify({ ...file, client_email: "relay" })],
    ["a key in another form", json.replaceAll("PRIVATE KEY", "RSA PRIVATE KEY")],
    ["a key that is cut", JSON.stringify({ ...file, private_key: file.private_key.slice(0, 200) })],
  ])("is refused as %s", (_which, value) => {
    expect(read(value)).toThrow("GOOGLE_SERVICE_ACCOUNT_KEY is malformed");
  });
});
