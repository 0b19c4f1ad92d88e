import { exportSPKI, generateKeyPair } from "jose";
import { beforeAll, describe, expect, test } from "vitest";

import { systemClock as clock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import { createAnswerCloudTasks } from "#queue/cloud-tasks/answer-cloud-tasks.ts";
import { createGoogleCerts } from "#queue/cloud-tasks/google-certs.ts";
import type { QueueCall } from "#queue/queue-call.ts";

import { createRecordingLog } from "../../support/recording-log.ts";
import { type CloudTasksStandIn, startCloudTasks, type TokenChanges } from "./stand-in.ts";

const url = "https://relay.example/api/cloud-tasks/instagram-ingestion";

describe("what comes in Cloud Tasks' name", () => {
  let tasks: CloudTasksStandIn;
  beforeAll(async () => {
    tasks = await startCloudTasks();
    return () => tasks.close();
  });

  /** Calls the route; resolves with its answer, and with the calls that were let through. */
  async function call(headers: Record<string, string>, certs = createGoogleCerts(tasks.certsUrl, { fetch, clock })) {
    const calls: QueueCall[] = [];
    const recording = createRecordingLog();
    const answerCall = createAnswerCloudTasks({
      readOrigin: () => ({ certs, email: tasks.email, urls: [url, "https://old.example/path"] }),
      giveUp: async () => {},
      clock,
      log: recording.log,
    });
    const request = new Request("http://localhost:3000/", { method: "POST", body: "{}", headers });
    const response = await answerCall(request, "ingestion.refused", async (taken) => {
      calls.push(taken);
      return Response.json({});
    });
    return { status: response.status, text: await response.text(), calls, recording };
  }
  const withToken = async (changes: TokenChanges, aud = url) => ({
    authorization: `Bearer ${await tasks.signToken(aud, changes)}`,
  });

  test("is taken if Google signed it for our address and account", async () => {
    const counts = { "x-cloudtasks-taskname": "0a1b", "x-cloudtasks-taskretrycount": "3" };
    const { status, calls } = await call({ ...(await withToken({})), ...counts });
    expect([status, calls]).toMatchObject([200, [{ body: "{}", messageId: "0a1b", retried: 3 }]]);
    expect((await call(await withToken({}, "https://old.example/path"))).status).toBe(200);
  });

  const now = Math.floor(Date.now() / 1000);
  test.each<[string, TokenChanges, string?]>([
    ["another issuer", { claims: { iss: "https://accounts.evil.example" } }],
    ["another address", {}, "https://relay.example/api/cloud-tasks/handlers"],
    ["no address", { claims: { aud: undefined } }],
    ["another project's account", { claims: { email: "relay@evil.iam.gserviceaccount.com" } }],
    ["no account", { claims: { email: undefined } }],
    ["an unverified e-mail", { claims: { email_verified: false } }],
    ["an e-mail that is said to be verified", { claims: { email_verified: "true" } }],
    ["an expired token", { claims: { exp: now - 1 } }],
    ["a token without an end", { claims: { exp: undefined } }],
  ])("is refused with %s", async (_which, changes, aud) => {
    const { status, text, calls, recording } = await call(await withToken(changes, aud));
    expect([status, calls]).toEqual([401, []]);
    expect(text).toContain("SIGNATURE_INVALID");
    expect(recording.lines).toMatchObject([{ event: "ingestion.refused", code: "SIGNATURE_INVALID" }]);
  });

  test("is refused without a token, with one of no algorithm, of another key or of Google's public key as a secret", async () => {
    const token = await tasks.signToken(url);
    const [, claims = ""] = token.split(".");
    const none = `${Buffer.from('{"alg":"none","kid":"google-1"}').toString("base64url")}.${claims}.`;
    const { privateKey } = await generateKeyPair("RS256");
    const asSecret = new TextEncoder().encode(await exportSPKI(tasks.google.publicKey));
    const forged = [
      {},
      { authorization: token },
      { authorization: `Bearer ${none}` },
      { authorization: `Bearer ${token.slice(0, -8)}AAAAAAAA` },
      await withToken({ key: privateKey }),
      await withToken({ key: asSecret, header: { alg: "HS256" } }),
    ];
    const statuses: number[] = [];
    for (const headers of forged) statuses.push((await call(headers)).status);
    expect(statuses).toEqual(forged.map(() => 401));
  });

  test("keys that Google's list lacks are not asked for again and again", async () => {
    const certs = createGoogleCerts(tasks.certsUrl, { fetch, clock });
    const before = tasks.counts.certs;
    expect((await call(await withToken({}), certs)).status).toBe(200);
    const forged = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => withToken({ header: { kid: `made-up-${index}` } })),
    );
    const answers = await Promise.all(forged.map((headers) => call(headers, certs)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(tasks.counts.certs - before).toBe(1);
  });

  const endless = new TextEncoder().encode(`{"keys":["${"x".repeat(65_536)}`);
  const answerWith =
    (body: string, status = 200) =>
    async () =>
      new Response(body, { status });
  test.each<[string, typeof fetch]>([
    ["Google is away", () => Promise.reject(new TypeError("fetch failed"))],
    ["Google fails", answerWith("", 500)],
    ["a proxy answers in Google's place", answerWith('<html>"keys"')],
    ["the answer is cut", answerWith('{"keys":[{"kty":"RSA"')],
    ["the list is none", answerWith('{"keys":{}}')],
    ["the list has no key", answerWith('{"keys":[[],"key",null,7,{"kty":"RSA","kid":"google-1","n":5,"e":"AQAB"}]}')],
    ["the answer is huge", answerWith(`{"keys":[${'{"kty":"RSA"},'.repeat(100_000)}{}]}`)],
    ["the answer never ends", async () => new Response(new ReadableStream({ pull: (to) => to.enqueue(endless) }))],
  ])("comes again while the keys cannot be read: %s", async (_which, answered) => {
    const certs = createGoogleCerts(tasks.certsUrl, { fetch: answered, clock });
    const { status, text, calls } = await call(await withToken({}), certs);
    expect([status, calls]).toEqual([503, []]);
    expect(text).toContain("QUEUE_UNAVAILABLE");
  });

  test("a key that is none, is huge or short, or has a name twice keeps no other one from being used", async () => {
    const { keys } = (await (await fetch(tasks.certsUrl)).json()) as { keys: [object] };
    const [google] = keys;
    const { privateKey } = await generateKeyPair("RS256");
    const modulus = (bytes: number) => Buffer.alloc(bytes, 0xfb).toString("base64url");
    const others = [
      null,
      [],
      "key",
      { ...google, n: 5 },
      { ...google, n: modulus(1_000_000) },
      { ...google, n: modulus(128) },
      { ...google, n: "" },
      { ...google, n: "A".repeat(342) },
      { ...google, n: "?".repeat(342) },
      { ...google, e: "AA" },
      { ...google, e: "Ag" },
      { ...google, e: "" },
      google,
    ];
    for (const other of [...others, { ...google, n: modulus(256) }, { ...google, key_ops: "verify", ext: "no" }]) {
      const list = JSON.stringify({ keys: [other, google] });
      const certs = createGoogleCerts(tasks.certsUrl, { fetch: answerWith(list), clock });
      const statuses = [
        (await call(await withToken({}), certs)).status,
        (await call(await withToken({ key: privateKey }), certs)).status,
      ];
      expect(statuses, list.slice(0, 200)).toEqual([200, 401]);
    }
  });

  test("comes again while a variable is missing", async () => {
    const answerCall = createAnswerCloudTasks({
      readOrigin: () => {
        throw new RelayError("ENV_INVALID", "Configuration is incomplete: CLOUD_TASKS_QUEUE is not set");
      },
      giveUp: async () => {},
      clock,
      log: createRecordingLog().log,
    });
    const statusOf = async (headers: Record<string, string>) => {
      const request = new Request("http://localhost:3000/", { method: "POST", body: "{}", headers });
      return (await answerCall(request, "ingestion.refused", async () => Response.json({}))).status;
    };
    expect(await statusOf(await withToken({}))).toBe(503);
    // A stranger without a token learns nothing of it, and causes no error in the log.
    expect(await statusOf({})).toBe(401);
  });
});
