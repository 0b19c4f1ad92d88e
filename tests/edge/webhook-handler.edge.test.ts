import { describe, expect, onTestFinished, test, vi } from "vitest";

import type { ReceivedDelivery } from "#instagram/received-delivery.ts";
import { createSignatureVerifier, signBody } from "#instagram/signature.ts";
import { createWebhookHandler, type WebhookSettings } from "#instagram/webhook-handler.ts";
import type { ForwardResult } from "#platform/delivery.ts";
import type { AckMode } from "#platform/webhook-env.ts";
import { RelayError } from "#platform/errors.ts";
import { signInternal } from "#platform/internal-signature.ts";
import { markProbe } from "#platform/probe-mark.ts";

import { eventually } from "../support/eventually.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { createRecordingLog } from "../support/recording-log.ts";

const secret = "app-secret";
const relaySecret = "relay-secret";
/** Well formed, made by no secret. */
const wrongSignature = { "x-hub-signature-256": `sha256=${"0".repeat(64)}` };
const url = "http://localhost:3000/api/webhooks/instagram";
const encode = (text: string) => new TextEncoder().encode(text);
const payload = JSON.stringify({
  object: "instagram",
  entry: [
    { id: "1", time: 1_700_000_000_000, messaging: [{ sender: { id: "2" }, message: { mid: "m1", text: "hello" } }] },
  ],
});

interface Handed {
  delivery: ReceivedDelivery;
  publishBudgetMs: number;
  /** What the report says of the ack; undefined while it is not asked for. */
  ackMs?: number | null;
  keep: (kept: boolean) => void;
}

/** Of a forward that made one attempt. */
function resultOf(isKept: boolean): ForwardResult {
  return {
    outcome: isKept ? "published" : null,
    durationMs: 1,
    publishedAtMs: null,
    messageIds: [],
    attempts: 1,
    timeouts: 0,
    errorType: null,
    publishErrorType: null,
    batches: 1,
    undelivered: [],
  };
}

const inMode = (mode: AckMode) => ({ ack: { mode, publishBudgetMs: 8_000 } });

function setUp(
  overrides: Partial<WebhookSettings> = {},
  waitUntil?: () => void,
  newId?: () => string,
  countRefusal?: () => Promise<void>,
) {
  const clock = createManualClock(1_700_000_000_000);
  const recording = createRecordingLog();
  const handed: Handed[] = [];
  const waited: Promise<unknown>[] = [];
  const refusals: string[] = [];
  let ids = 0;
  const settings: WebhookSettings = {
    verify: createSignatureVerifier(["previous", secret]).verify,
    relaySecret,
    ack: { mode: { kind: "immediate" }, publishBudgetMs: 8_000 },
    bodyBytesMax: 2_000,
    forward: (delivery, publishBudgetMs) => {
      let keep: (kept: boolean) => void = () => {};
      const kept = new Promise<boolean>((resolve) => {
        keep = resolve;
      });
      handed.push({ delivery, publishBudgetMs, keep });
      return { kept, result: kept.then((isKept) => resultOf(isKept)) };
    },
    report: async (delivery, forwarded, ackMs) => {
      for (const each of handed) if (each.delivery === delivery) each.ackMs = ackMs;
      await forwarded;
    },
    ...overrides,
  };
  const handler = createWebhookHandler({
    runtime: "edge",
    region: "fra1",
    deployment: "dpl_1",
    clock,
    log: recording.log,
    newId: newId ?? (() => `d${(ids += 1)}`),
    waitUntil: waitUntil ?? ((promise) => waited.push(promise)),
    readVerifyToken: () => "verify-token",
    readSettings: () => settings,
    countRefusal: countRefusal ?? ((reason) => void refusals.push(reason)),
  });
  return { clock, handler, handed, recording, refusals, waited };
}

async function signed(body: Uint8Array | string = payload, headers: Record<string, string> = {}): Promise<Request> {
  const bytes = typeof body === "string" ? encode(body) : body;
  return new Request(url, {
    method: "POST",
    body: bytes as BodyInit,
    headers: { "x-hub-signature-256": await signBody(secret, bytes), "content-type": "application/json", ...headers },
  });
}

/** Resolves when so many deliveries in all have been handed to the forward. */
const untilHanded = (handed: readonly Handed[], count: number) =>
  eventually(`${count} deliveries are handed to the forward`, () => handed.length >= count);

const errorOf = async (response: Response) =>
  ((await response.json()) as { error: { code: string; message: string } }).error;

test("this suite runs among the edge's globals", () => {
  expect(typeof EdgeRuntime).toBe("string");
});

declare const EdgeRuntime: unknown;

describe("a genuine delivery", () => {
  test("is acknowledged before it is forwarded, and the forward is handed to waitUntil", async () => {
    const { handler, handed, waited } = setUp();
    const response = await handler.post(await signed());
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("EVENT_RECEIVED");
    expect(response.headers.get("x-delivery-id")).toBe("d1");
    // The forward and its report.
    expect(waited).toHaveLength(2);
    expect(handed[0]?.delivery).toMatchObject({
      id: "d1",
      runtime: "edge",
      region: "fra1",
      coldStart: true,
      bodyBytes: encode(payload).byteLength,
      secretIndex: 1,
      probe: false,
      events: [{ kind: "message", key: "message:1:m1" }],
    });
    expect(handed[0]?.ackMs).toEqual(expect.any(Number));
    // The batches say the same as the report, because nothing stands between the forward's start and the ack.
    expect(handed[0]?.delivery.ackMs).toBe(handed[0]?.ackMs);
    expect(handed[0]?.delivery.deployment).toBe("dpl_1");
  });

  test.each([inMode({ kind: "durable" }), inMode({ kind: "race", limitMs: 100 })])(
    "has no time of its ack in its batches where the ack waits for them: %j",
    async (overrides) => {
      const { handler, handed } = setUp(overrides);
      const answer = handler.post(await signed());
      await untilHanded(handed, 1);
      expect(handed[0]?.delivery.ackMs).toBe(null);
      handed[0]?.keep(true);
      await answer;
      expect(handed[0]?.ackMs).toEqual(expect.any(Number));
    },
  );

  test.each([
    ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true],
    ["nonsense", false],
    ["00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01", false],
    ["ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false],
    ["00-00000000000000000000000000000000-00f067aa0ba902b7-01", false],
  ])("carries the traceparent %s along: %s", async (traceparent, carried) => {
    const { handler, handed } = setUp();
    await handler.post(await signed(payload, { traceparent }));
    expect(handed[0]?.delivery.traceparent).toBe(carried ? traceparent : null);
  });

  test("begins a trace with the digits of its id if none came with it", async () => {
    const { handler, handed } = setUp({}, undefined, () => "4bf92f35-77b3-4da6-a3ce-929d0e0e4736");
    await handler.post(await signed());
    expect(handed[0]?.delivery.traceparent).toBe("00-4bf92f3577b34da6a3ce929d0e0e4736-a3ce929d0e0e4736-01");
  });

  test("is cold only once", async () => {
    const { handler, handed } = setUp();
    await handler.post(await signed());
    await handler.post(await signed());
    expect(handed.map((each) => each.delivery.coldStart)).toEqual([true, false]);
  });

  test("has its id on every log line and its text on none", async () => {
    const { handler, recording } = setUp();
    await handler.post(await signed());
    expect(recording.lines.map(({ event, deliveryId }) => [event, deliveryId])).toEqual([
      ["delivery.received", "d1"],
      ["delivery.acked", "d1"],
    ]);
    expect(JSON.stringify(recording.lines)).not.toContain("hello");
  });

  test.each([
    ["not JSON", "{nope"],
    ["no Instagram webhook", '{"hello":"world"}'],
    ["of a shape nobody knows", '{"object":"instagram","entry":[{"id":"1","novelty":[{"a":1}]}]}'],
  ])("is kept as unknown when it is %s", async (_name, body) => {
    const { handler, handed } = setUp();
    expect((await handler.post(await signed(body))).status).toBe(200);
    expect(handed[0]?.delivery.events).toMatchObject([{ kind: "unknown" }]);
  });
});

describe("a probe", () => {
  const nowMs = 1_700_000_000_000;
  const mark = (body: string, atMs = nowMs, by = relaySecret) => markProbe(by, encode(body), atMs);
  const canary = () => markProbe(relaySecret, encode(payload), nowMs, "canary");

  test.each<[string, Partial<WebhookSettings>]>([
    ["immediate", {}],
    ["durable", inMode({ kind: "durable" })],
  ])("is answered like any delivery with its handler's time, and goes no further: %s", async (_mode, overrides) => {
    const { handler, handed, waited, refusals } = setUp(overrides);
    const response = await handler.post(await signed(payload, await mark(payload)));
    expect([response.status, await response.text()]).toEqual([200, "EVENT_RECEIVED"]);
    expect(response.headers.get("x-delivery-id")).toBe("d1");
    expect(response.headers.get("server-timing")).toBe('handler;dur=0;desc="fra1,dpl_1,true,edge"');
    expect([handed, waited, refusals]).toEqual([[], [], []]);
  });

  test("is a canary with the mark of one, and goes the whole way", async () => {
    const { handler, handed } = setUp();
    const response = await handler.post(await signed(payload, await canary()));
    expect(handed.map(({ delivery }) => delivery.probe)).toEqual([true]);
    expect(handed[0]?.ackMs).toEqual(expect.any(Number));
    expect(response.headers.get("server-timing")).toContain("handler;dur=");
  });

  test.each([
    ["no mark", async () => ({})],
    ["the mark that anybody can send", async () => ({ "x-relay-probe": "1" })],
    ["another secret's", () => mark(payload, undefined, "other")],
    ["that of another body", () => mark("{}")],
    ["one of six minutes ago", () => mark(payload, nowMs - 360_000)],
    ["one of in six minutes", () => mark(payload, nowMs + 360_000)],
    [
      "two at once",
      async () => {
        const [value = ""] = Object.values(await mark(payload));
        return { "x-relay-probe": `${value}, ${value}` };
      },
    ],
    [
      "a signature for another purpose",
      async () => ({
        "x-relay-probe": await signInternal(relaySecret, "POST /api/internal/reports", encode(payload), nowMs),
      }),
    ],
  ])("a delivery with %s is an ordinary one, and its answer has no timing", async (_name, headers) => {
    const { handler, handed } = setUp();
    const response = await handler.post(await signed(payload, await headers()));
    expect([response.status, response.headers.get("server-timing")]).toEqual([200, null]);
    expect(handed.map(({ delivery }) => delivery.probe)).toEqual([false]);
  });

  test.each([
    ["a genuine mark", () => mark(payload)],
    ["a canary's", canary],
    ["a forged one", async () => ({ "x-relay-probe": `t=${nowMs / 1000},v2=${"0".repeat(64)}` })],
  ])("a flood with a wrong app signature is refused and counted, with %s", async (_name, headers) => {
    const { handler, handed, refusals } = setUp();
    const flood = Array.from({ length: 20 }, async () =>
      handler.post(await signed(payload, { ...(await headers()), ...wrongSignature })),
    );
    const answers = await Promise.all(flood);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(answers.map(({ headers: answered }) => answered.get("server-timing"))).toEqual(answers.map(() => null));
    expect(handed).toEqual([]);
    expect(refusals).toEqual(answers.map(() => "SIGNATURE_INVALID"));
  });

  test.each([
    ["the doctor's", relaySecret, payload, []],
    ["another secret's", "other", payload, ["SIGNATURE_INVALID"]],
    ["that of another body", relaySecret, "{}", ["SIGNATURE_INVALID"]],
  ])("a forgery is refused, and not counted if its mark is %s", async (_name, by, body, counted) => {
    const { handler, handed, refusals, recording } = setUp();
    const marked = await markProbe(by, encode(body), nowMs, "forgery");
    const response = await handler.post(await signed(payload, { ...marked, ...wrongSignature }));
    expect([response.status, handed, refusals]).toEqual([401, [], counted]);
    expect(recording.of("delivery.refused")).toHaveLength(1);
  });
});

describe("a refused delivery", () => {
  test.each([
    ["without a signature", { "x-hub-signature-256": "" }, "SIGNATURE_MISSING"],
    ["with a wrong one", wrongSignature, "SIGNATURE_INVALID"],
    ["with a SHA-1", { "x-hub-signature-256": `sha1=${"0".repeat(40)}` }, "SIGNATURE_MISSING"],
  ])("%s gets 401, goes nowhere, is counted and logged", async (_name, headers, reason) => {
    const { handler, handed, waited, recording, refusals } = setUp();
    const response = await handler.post(await signed(payload, headers));
    expect(response.status).toBe(401);
    expect((await errorOf(response)).code).toBe("SIGNATURE_INVALID");
    expect([handed.length, waited.length]).toEqual([0, 0]);
    expect(refusals).toEqual([reason]);
    const [line] = recording.of("delivery.refused");
    expect(line).toMatchObject({ code: "SIGNATURE_INVALID" });
    // The log has the same word as the dashboard.
    expect(line?.["refusal"] ?? line?.["code"]).toBe(reason);
  });

  test("with two signatures gets 401, even if one is right", async () => {
    const { handler } = setUp();
    const request = await signed();
    request.headers.append("x-hub-signature-256", request.headers.get("x-hub-signature-256") ?? "");
    expect((await handler.post(request)).status).toBe(401);
  });

  test("that was changed on the way gets 401", async () => {
    const { handler } = setUp();
    const signature = await signBody(secret, encode(payload));
    expect((await handler.post(await signed(`${payload} `, { "x-hub-signature-256": signature }))).status).toBe(401);
  });

  test.each([
    ["without a signature", ""],
    ["with half of one", "sha256=00"],
    ["with two", `${wrongSignature["x-hub-signature-256"]}, ${wrongSignature["x-hub-signature-256"]}`],
  ])("%s gets 401 before its body is read, however long that is", async (_name, signature) => {
    const { handler } = setUp();
    const body = new ReadableStream<Uint8Array>({ pull: () => expect.unreachable() }, { highWaterMark: 0 });
    const init = { method: "POST", body, duplex: "half", headers: { "x-hub-signature-256": signature } };
    const response = await handler.post(new Request(url, init));
    expect([response.status, response.headers.get("connection")]).toEqual([401, "close"]);
  });

  test("whose report is under way keeps its invocation for that", async () => {
    const { handler, waited } = setUp({}, undefined, undefined, () => Promise.resolve());
    await handler.post(await signed(payload, wrongSignature));
    expect(waited).toHaveLength(1);
  });

  test.each(["HMAC-SHA256", "another"])(
    "that is a signed_request of the same secret, by %s, gets 401",
    async (algorithm) => {
      const { handler, handed } = setUp();
      const text = btoa(JSON.stringify({ user_id: "1", algorithm, code: "c" }))
        .replaceAll("+", "-")
        .replaceAll("/", "_");
      for (const encoded of [text, text.replace(/=+$/, "")]) {
        const response = await handler.post(await signed(encoded));
        expect([response.status, (await errorOf(response)).code]).toEqual([401, "SIGNATURE_INVALID"]);
      }
      expect(handed).toEqual([]);
    },
  );

  test.each(["e30", btoa('{"user_id":"1"}'), btoa("{nope"), "eeee", "true"])(
    "is not one that could be base64 and is no signed_request: %s",
    async (body) => {
      const { handler, handed } = setUp();
      expect((await handler.post(await signed(body))).status).toBe(200);
      expect(handed[0]?.delivery.events).toMatchObject([{ kind: "unknown" }]);
    },
  );

  test("over the limit gets 413 before its signature is looked at, or as soon as it is known", async () => {
    const { handler } = setUp();
    const announced = await signed("x".repeat(2_001), { "x-hub-signature-256": "", "content-length": "2001" });
    expect((await handler.post(announced)).status).toBe(413);

    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(1_000));
      },
    });
    const streamed = new Request(url, {
      method: "POST",
      body: endless,
      duplex: "half",
      headers: wrongSignature,
    } as RequestInit);
    const response = await handler.post(streamed);
    expect(response.status).toBe(413);
    expect((await errorOf(response)).code).toBe("BODY_TOO_LARGE");
    expect(pulled).toBeLessThan(10);
  });

  test("of exactly the limit is taken", async () => {
    const { handler } = setUp();
    expect((await handler.post(await signed("x".repeat(2_000)))).status).toBe(200);
  });

  test("that the host cut short gets 400, not 401", async () => {
    const { handler } = setUp();
    const response = await handler.post(await signed(payload, { "content-length": "1999" }));
    expect([response.status, (await errorOf(response)).code]).toEqual([400, "BODY_INCOMPLETE"]);
  });

  test("whose sender stalls gets 408", async () => {
    const { handler, clock } = setUp();
    const stalled = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(encode("{")),
    });
    const answer = handler.post(
      new Request(url, { method: "POST", body: stalled, duplex: "half", headers: wrongSignature } as RequestInit),
    );
    await eventually("the time limit of the body is set", () => clock.timersLeft() === 1);
    await clock.advance(10_000);
    const response = await answer;
    expect([response.status, (await errorOf(response)).code]).toEqual([408, "BODY_TIMEOUT"]);
  });

  test("without configuration gets 503 that names the variables", async () => {
    const { clock, recording, refusals } = setUp();
    const unconfigured = createWebhookHandler({
      runtime: "edge",
      region: null,
      deployment: null,
      clock,
      log: recording.log,
      newId: () => "d1",
      waitUntil: () => {},
      readVerifyToken: () => "verify-token",
      countRefusal: (reason) => void refusals.push(reason),
      readSettings: () => {
        throw new RelayError("ENV_INVALID", "Configuration is incomplete: QSTASH_TOKEN is not set");
      },
    });
    const response = await unconfigured.post(await signed());
    expect(response.status).toBe(503);
    expect(await errorOf(response)).toEqual({
      code: "ENV_INVALID",
      message: "Configuration is incomplete: QSTASH_TOKEN is not set",
    });
    expect(refusals).toEqual(["ENV_INVALID"]);
    // The handshake needs only its token.
    const handshake = new Request(`${url}?hub.mode=subscribe&hub.challenge=1&hub.verify_token=verify-token`);
    expect((await unconfigured.get(handshake)).status).toBe(200);
  });
});

test("a bug of the parser's own keeps the delivery, and is logged with its cause and not with the customer's words", async () => {
  const parseDate = vi.spyOn(Date, "parse").mockImplementation(() => {
    throw new TypeError("hello");
  });
  onTestFinished(() => parseDate.mockRestore());
  const { handler, handed, recording } = setUp();
  const dated = payload.replace('"message":', '"timestamp":"2020-01-01T00:00:00+0000","message":');
  expect((await handler.post(await signed(dated))).status).toBe(200);
  expect(handed[0]?.delivery.events).toMatchObject([{ kind: "unknown", data: { bodyBase64: btoa(dated) } }]);
  expect(recording.of("delivery.parse_failed")).toMatchObject([
    { level: "error", deliveryId: "d1", cause: "TypeError" },
  ]);
  expect(JSON.stringify(recording.lines)).not.toContain("hello");
});

describe("the ack modes", () => {
  test("race waits for the forward until its limit", async () => {
    const { handler, handed, clock } = setUp(inMode({ kind: "race", limitMs: 3_000 }));
    const late = handler.post(await signed());
    await untilHanded(handed, 1);
    await clock.advance(3_000);
    expect((await late).status).toBe(200);

    const quick = handler.post(await signed());
    await untilHanded(handed, 2);
    handed[1]?.keep(true);
    expect((await quick).status).toBe(200);
  });

  test.each([
    [true, 200],
    [false, 503],
  ])("durable answers what became of it: kept %s is %i", async (kept, status) => {
    const { handler, handed, clock } = setUp(inMode({ kind: "durable" }));
    const answer = handler.post(await signed());
    await untilHanded(handed, 1);
    await clock.advance(100);
    handed[0]?.keep(kept);
    expect((await answer).status).toBe(status);
    expect(handed[0]?.ackMs).toBe(kept ? 100 : null);
  });

  test("a host whose waitUntil throws makes the mode durable", async () => {
    const { handler, handed, recording } = setUp({}, () => {
      throw new Error("no request scope");
    });
    const answer = handler.post(await signed());
    await untilHanded(handed, 1);
    handed[0]?.keep(true);
    expect((await answer).status).toBe(200);
    expect(recording.of("delivery.wait_until_failed")).toHaveLength(1);
    expect(recording.of("delivery.acked")).toMatchObject([{ mode: "durable" }]);

    // From then on publishing leaves time for the fallback.
    const next = handler.post(await signed());
    await untilHanded(handed, 2);
    expect(handed.map(({ publishBudgetMs }) => publishBudgetMs)).toEqual([8_000, 2_000]);
    handed[1]?.keep(true);
    expect((await next).status).toBe(200);
  });

  test("after a delivery that is not kept, acks are withheld until one is kept again", async () => {
    const { handler, handed, recording } = setUp();
    const deliver = async () => {
      const before = handed.length;
      const answer = handler.post(await signed());
      await untilHanded(handed, before + 1);
      return answer;
    };
    expect((await deliver()).status).toBe(200);
    handed[0]?.keep(false);
    expect(handed[0]?.ackMs).toEqual(expect.any(Number));
    await eventually("acks are withheld", () => recording.of("acks.withheld").length === 1);

    for (const kept of [false, true]) {
      const index = handed.length;
      const answer = deliver();
      await untilHanded(handed, index + 1);
      handed[index]?.keep(kept);
      expect((await answer).status).toBe(kept ? 200 : 503);
      expect(typeof handed[index]?.ackMs).toBe(kept ? "number" : "object");
    }
    expect((await deliver()).status).toBe(200);
    expect(recording.of("delivery.acked").map(({ mode }) => mode)).toEqual(["immediate", "durable", "immediate"]);
    expect(recording.of("acks.resumed")).toHaveLength(1);
    // While the ack waits for the forward, publishing gets less time.
    expect(handed.map(({ publishBudgetMs }) => publishBudgetMs)).toEqual([8_000, 2_000, 2_000, 8_000]);
  });

  test("a race refuses what it knows to be lost, and at its limit waits on while acks are withheld", async () => {
    const { handler, handed, clock } = setUp(inMode({ kind: "race", limitMs: 1_000 }));
    const deliver = async () => {
      const index = handed.length;
      const answer = handler.post(await signed());
      await untilHanded(handed, index + 1);
      return answer;
    };
    const undecided = deliver();
    await untilHanded(handed, 1);
    const lost = deliver();
    await untilHanded(handed, 2);
    handed[1]?.keep(false);
    expect((await lost).status).toBe(503);

    await clock.advance(1_000);
    handed[0]?.keep(true);
    expect((await undecided).status).toBe(200);
    expect(handed[0]?.ackMs).toEqual(expect.any(Number));
  });

  test("a refusal names the delivery, for the sender and in the log", async () => {
    const { handler, handed, recording } = setUp(inMode({ kind: "durable" }));
    const answer = handler.post(await signed());
    await untilHanded(handed, 1);
    handed[0]?.keep(false);
    expect((await answer).headers.get("x-delivery-id")).toBe("d1");
    expect(recording.of("delivery.refused")).toMatchObject([{ deliveryId: "d1", code: "NOT_KEPT" }]);
  });

  test("durable counts the time that the body took", async () => {
    const { handler, clock, handed } = setUp(inMode({ kind: "durable" }));
    const bytes = encode(payload);
    let send: () => void = () => {};
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        send = () => {
          controller.enqueue(bytes);
          controller.close();
        };
      },
    });
    const headers = { "x-hub-signature-256": await signBody(secret, bytes) };
    const answer = handler.post(new Request(url, { method: "POST", headers, body, duplex: "half" } as RequestInit));
    await eventually("the time limit of the body is set", () => clock.timersLeft() === 1);
    await clock.advance(3_000);
    send();
    await untilHanded(handed, 1);
    await clock.advance(1_000);
    expect((await answer).status).toBe(503);
  });

  test("durable does not wait longer than four seconds", async () => {
    const { handler, handed, clock, waited } = setUp(inMode({ kind: "durable" }));
    const answer = handler.post(await signed());
    await untilHanded(handed, 1);
    await clock.advance(4_000);
    const response = await answer;
    expect([response.status, (await errorOf(response)).code]).toEqual([503, "NOT_KEPT"]);
    // The forward goes on, and its report waits for it.
    expect(waited).toHaveLength(2);
  });
});

describe("the handshake", () => {
  const shake = (query: string) => setUp().handler.get(new Request(`${url}?${query}`));

  test.each(["1158201444", "00012", "12345678901234567890", "a_b-C"])("echoes %s byte for byte", async (challenge) => {
    for (const separator of [".", "_"]) {
      const names = ["mode", "challenge", "verify_token"].map((name) => `hub${separator}${name}`);
      const response = await shake(`${names[0]}=subscribe&${names[1]}=${challenge}&${names[2]}=verify-token`);
      expect([response.status, await response.text()]).toEqual([200, challenge]);
      expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
    }
  });

  test.each([
    ["a wrong token", "hub.mode=subscribe&hub.challenge=1&hub.verify_token=other", 403],
    ["an empty token", "hub.mode=subscribe&hub.challenge=1&hub.verify_token=", 403],
    ["no token", "hub.mode=subscribe&hub.challenge=1", 400],
    ["no challenge", "hub.mode=subscribe&hub.verify_token=verify-token", 400],
    ["markup for a challenge", "hub.mode=subscribe&hub.challenge=%3Cscript%3E&hub.verify_token=verify-token", 400],
    ["another mode", "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=verify-token", 400],
    ["nothing", "", 400],
  ])("refuses %s", async (_name, query, status) => {
    const response = await shake(query);
    expect(response.status).toBe(status);
    expect(await response.text()).not.toContain("verify-token");
  });
});

test("another method gets 405, and Allow names the right ones", () => {
  const response = setUp().handler.refuseMethod();
  expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, POST"]);
});
