import { beforeEach, describe, expect, test, vi } from "vitest";

import { diagnoseQstash } from "#diagnostics/diagnose-qstash.ts";
import { judgeSigningKeys } from "#diagnostics/judge-signing-keys.ts";
import { type Clock, systemClock } from "#platform/clock.ts";

import { keys, openSink, shareBroker } from "../broker/test-broker.ts";
import type { Respond, SinkResponse } from "../support/http-sink.ts";
import { find, troubles } from "./environment.ts";

const keysJson = JSON.stringify({ current: keys.currentSigningKey, next: keys.nextSigningKey });
const bypass = "bypass-secret-only-here";
const unreachable = "http://127.0.0.1:1";

// The SDK writes its failures to the console by itself.
beforeEach(() => {
  for (const level of ["warn", "error"] as const) vi.spyOn(console, level).mockImplementation(() => {});
  return () => vi.restoreAllMocks();
});

const shared = shareBroker();

describe("diagnoseQstash() with a QStash that works", () => {
  test("publishes by the SDK and by HTTP, side by side, and sees the delivery", async () => {
    const relay = await openSink();
    const diagnosis = await diagnose(relay.url, { VERCEL_AUTOMATION_BYPASS_SECRET: bypass });
    expect(troubles(diagnosis)).toEqual([]);
    expect(diagnosis.checks.map(({ name }) => name)).toEqual([
      "Token",
      "Signing keys",
      "Publish by the SDK",
      "Publish by direct HTTP",
      "Delivery to RELAY_URL",
    ]);
    const messageId = expect.stringMatching(/^msg_/) as string;
    expect(diagnosis.sdk).toEqual({ ok: true, durationMs: expect.any(Number), status: null, messageId, error: null });
    expect(diagnosis.http).toEqual({ ok: true, durationMs: expect.any(Number), status: 200, messageId, error: null });

    const deliveries = [await relay.next(), await relay.next()];
    for (const { method, target, headers } of deliveries) {
      expect([method, target]).toEqual(["GET", "/api/health"]);
      expect(headers).toMatchObject({ "x-vercel-protection-bypass": bypass, "upstash-signature": expect.any(String) });
    }
    const ids = deliveries.map(({ headers }) => String(headers["upstash-message-id"]));
    expect(ids.toSorted()).toEqual([diagnosis.sdk.messageId, diagnosis.http.messageId].map(String).toSorted());
  });

  test.each<[string, SinkResponse, RegExp, RegExp]>([
    [
      "Deployment Protection",
      { status: 401, headers: { server: "Vercel" }, body: "<title>Authentication Required</title>" },
      /Deployment Protection answers/,
      /VERCEL_AUTOMATION_BYPASS_SECRET/,
    ],
    [
      "its redirect",
      { status: 302, headers: { location: "https://vercel.com/sso-api?url=x" } },
      /Protection/,
      /BYPASS/,
    ],
    [
      "a redirect",
      { status: 308, headers: { location: "https://www.a.example" } },
      /RELAY_URL redirects/,
      /redirect: https:\/\/www\.a\.example/,
    ],
    ["a sign-in in front", { status: 403, body: "no" }, /in front of the relay/, /Exclude/],
    ["another server", { status: 404, body: "nothing" }, /another server/, /Correct RELAY_URL/],
    ["a relay without Postgres", { status: 503, body: '{"status":"down","store":"down"}' }, /its Postgres/, /Postgres/],
  ])("explains what %s answers, and leaves nothing in the queue", async (_, response, cause, remedy) => {
    const relay = await openSink(() => response);
    const diagnosis = await diagnose(relay.url);
    expect(troubles(diagnosis)).toEqual([`Delivery to RELAY_URL: failed QStash was answered ${response.status}`]);
    expect(find(diagnosis, "Delivery to RELAY_URL").cause).toMatch(cause);
    expect(find(diagnosis, "Delivery to RELAY_URL").remedy).toMatch(remedy);
    const { request } = shared();
    for (const { messageId } of [diagnosis.sdk, diagnosis.http]) {
      expect((await request(`/v2/messages/${messageId}`)).status).toBe(404);
    }
    expect(await (await request("/v2/dlq")).json()).toEqual({ messages: [] });
  });

  test("explains a relay that QStash cannot reach", async () => {
    const sink = await openSink();
    await sink.close();
    const diagnosis = await diagnose(sink.url);
    expect(troubles(diagnosis)).toEqual(["Delivery to RELAY_URL: failed QStash got no answer"]);
    expect(find(diagnosis, "Delivery to RELAY_URL").cause).toMatch(/^Nothing listens/);
  });

  test("explains a wrong token the same way for both publishes", async () => {
    const diagnosis = await diagnose(unreachable, { QSTASH_TOKEN: "wrong-token-only-here" });
    expect(troubles(diagnosis)).toEqual([
      "Token: failed answered 401",
      "Signing keys: skipped QStash did not answer which keys are right",
      "Publish by the SDK: failed PUBLISH_UNAUTHORIZED",
      "Publish by direct HTTP: failed PUBLISH_UNAUTHORIZED",
      "Delivery to RELAY_URL: skipped nothing was published",
    ]);
    const error = { type: "PUBLISH_UNAUTHORIZED", cause: expect.stringContaining("another region") as string };
    expect(diagnosis.sdk).toMatchObject({ ok: false, status: 401, messageId: null, error });
    expect(diagnosis.http).toMatchObject({ ok: false, status: 401, messageId: null, error });
    expect(JSON.stringify(diagnosis)).not.toContain("only-here");
  });
});

describe("diagnoseQstash() with a QStash that fails", () => {
  test.each<[string, Respond, number | null, string, RegExp]>([
    [
      "another region's token",
      always(404, '{"error":"user not found in this region (eu-central-1)"}'),
      404,
      "PUBLISH_NOT_FOUND",
      /another region/,
    ],
    ["another host", always(404, "<html>"), 404, "PUBLISH_NOT_FOUND", /not the base URL/],
    ["a page for everything", always(200, "<html>"), null, "PUBLISH_REJECTED", /does not answer like QStash/],
    ["a daily limit", always(429, "{}", { "ratelimit-limit": "1000" }), 429, "PUBLISH_RATE_LIMITED", /daily/],
    ["an outage", always(503, "{}"), 503, "PUBLISH_UNAVAILABLE", /has a problem/],
    [
      "a message too large",
      always(412, '{"error":"quota maxMessageSize exceeded"}'),
      412,
      "PUBLISH_OVER_QUOTA",
      /limit of the plan/,
    ],
    [
      "a local address",
      refuses("endpoint resolves to a loopback address: ::1"),
      400,
      "PUBLISH_INVALID",
      /this machine/,
    ],
    [
      "an unknown host",
      refuses("unable to resolve host: no such host"),
      400,
      "PUBLISH_INVALID",
      /cannot resolve the host name/,
    ],
    ["a read-only token", readOnly, 403, "PUBLISH_UNAUTHORIZED", /read-only/],
  ])("explains %s", async (_, respond, status, type, cause) => {
    const qstash = await openSink(respond);
    const diagnosis = await diagnose("https://relay.example", { QSTASH_URL: qstash.url });
    expect(diagnosis.ok).toBe(false);
    expect(diagnosis.sdk).toMatchObject({ ok: false, status, error: { type, cause: expect.stringMatching(cause) } });
    expect(diagnosis.http).toMatchObject({ ok: false, error: { type, cause: expect.stringMatching(cause) } });
    expect(find(diagnosis, "Delivery to RELAY_URL").status).toBe("skipped");
  });

  test("publishes with the retries of real messages, which the plan may not allow", async () => {
    const qstash = await openSink(({ method, headers }) => {
      if (method !== "POST") return { body: method === "GET" ? keysJson : "{}" };
      const isOver = Number(headers["upstash-retries"]) > 5;
      return isOver
        ? { status: 412, body: '{"error":"quota maxRetries exceeded"}' }
        : { body: '{"messageId":"msg_1"}' };
    });
    const diagnosis = await diagnose("https://relay.example", { QSTASH_URL: qstash.url, QSTASH_RETRIES: "6" });
    const error = { type: "PUBLISH_OVER_QUOTA", cause: "QSTASH_RETRIES is more than the plan allows." };
    expect([diagnosis.sdk.error, diagnosis.http.error]).toMatchObject([error, error]);
  });

  test("quotes an unknown error of QStash without any configured value", async () => {
    const text = `{"error":"odd: ${keys.token} for https://relay.example/api/health"}`;
    const qstash = await openSink(always(400, text));
    const diagnosis = await diagnose("https://relay.example", { QSTASH_URL: qstash.url });
    expect(diagnosis.http.error?.cause).toMatch(/QStash says: odd: … for …\/api\/health$/);
  });

  test("gives up on a silent QStash, also by the SDK, which has no time limit", async () => {
    const qstash = await openSink(() => new Promise(() => {}));
    const diagnosis = await diagnose("https://relay.example", { QSTASH_URL: qstash.url, PUBLISH_TIMEOUT_MS: "50" });
    expect(find(diagnosis, "Token").detail).toBe("no answer");
    expect([diagnosis.sdk.error?.type, diagnosis.http.error?.type]).toEqual(["PUBLISH_TIMEOUT", "PUBLISH_TIMEOUT"]);
    expect(diagnosis.sdk.durationMs).toBeGreaterThanOrEqual(45);
  });

  test("reports a QStash that cannot be reached", async () => {
    const diagnosis = await diagnose("https://relay.example", { QSTASH_URL: "http://nowhere.invalid" });
    const error = { type: "PUBLISH_NETWORK", remedy: expect.stringContaining("QSTASH_URL") as string };
    expect([diagnosis.sdk.error, diagnosis.http.error]).toMatchObject([error, error]);
  });

  test("reports a delivery that is not logged in time, and cancels the messages", async () => {
    const qstash = await openSink(({ method, target }) => {
      if (method === "POST") return { body: '{"messageId":"msg_1"}' };
      return target === "/v2/keys" ? { body: keysJson } : { body: '{"events":[]}' };
    });
    const diagnosis = await diagnose("https://relay.example", { QSTASH_URL: qstash.url }, hurriedClock);
    expect(troubles(diagnosis)).toEqual(["Delivery to RELAY_URL: warning not known yet"]);
    expect(diagnosis.ok).toBe(true);
    const asked = qstash.requests.map(({ method, target }) => `${method} ${target}`);
    expect(asked.filter((one) => one === "DELETE /v2/messages/msg_1")).toHaveLength(2);
  });

  test("sends no request when a variable is missing", async () => {
    const qstash = await openSink();
    const env = { QSTASH_URL: qstash.url, RELAY_URL: "nonsense" };
    const diagnosis = await diagnoseQstash({ env, clock: systemClock, fetch });
    expect(troubles(diagnosis)).toEqual(["Settings: failed incomplete"]);
    expect(find(diagnosis, "Settings").cause).toContain("QSTASH_TOKEN is not set, RELAY_URL is malformed");
    expect(qstash.requests).toEqual([]);
  });
});

describe("judgeSigningKeys()", () => {
  test.each<[string, string, string, string, RegExp]>([
    ["another account's", "sig_a", "sig_b", "failed different from QStash's", /refuses every delivery/],
    [
      "interchanged",
      keys.nextSigningKey,
      keys.currentSigningKey,
      "warning different from QStash's, but one still fits",
      /interchanged/,
    ],
    [
      "those before a rotation",
      "sig_old",
      keys.currentSigningKey,
      "warning different from QStash's, but one still fits",
      /were rotated/,
    ],
    [
      "the current one and a stranger",
      keys.currentSigningKey,
      "sig_b",
      "warning different from QStash's, but one still fits",
      /next key is a different one/,
    ],
    ["only one", keys.currentSigningKey, "", "failed not set", /cannot verify/],
  ])("judges keys that are %s", (_, current, next, found, cause) => {
    const record = { QSTASH_CURRENT_SIGNING_KEY: current, QSTASH_NEXT_SIGNING_KEY: next };
    const finding = judgeSigningKeys(record, keysJson);
    expect(`${finding.status} ${finding.detail}`).toBe(found);
    expect(finding.cause).toMatch(cause);
  });
});

/** Ten times as fast as the real one. */
const hurriedClock: Clock = {
  ...systemClock,
  monotonicMs: () => systemClock.monotonicMs() * 10,
  after: (delayMs, callback) => systemClock.after(delayMs / 10, callback),
};

function diagnose(relayUrl: string, given: Record<string, string> = {}, clock = systemClock) {
  const env = {
    QSTASH_URL: shared().broker.url,
    QSTASH_TOKEN: keys.token,
    QSTASH_CURRENT_SIGNING_KEY: keys.currentSigningKey,
    QSTASH_NEXT_SIGNING_KEY: keys.nextSigningKey,
    RELAY_URL: relayUrl,
    ...given,
  };
  return diagnoseQstash({ env, clock, fetch });
}

function always(status: number, body: string, headers: Record<string, string> = {}): Respond {
  return () => ({ status, body, headers });
}

function refuses(words: string): Respond {
  return always(400, JSON.stringify({ error: `invalid destination url: ${words}` }));
}

function readOnly({ method }: { method: string }): SinkResponse {
  return method === "GET" ? { body: keysJson } : { status: 403, body: '{"error":"forbidden"}' };
}
