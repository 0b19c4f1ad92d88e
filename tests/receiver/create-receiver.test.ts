/** When the receiver acknowledges. What it accepts and refuses is in runtimes.test.ts. */
import { describe, expect, test } from "vitest";

import { createReceiver, type Delivery, type InstagramEvent, type ReceiverOptions, signBody } from "#receiver/index.ts";

import { createManualClock } from "../support/manual-clock.ts";
import { eventually } from "../support/eventually.ts";

const message = (mid: string) =>
  `{"object":"instagram","entry":[{"id":"1","time":1751200000000,"messaging":[{"sender":{"id":"2"},"recipient":{"id":"1"},"timestamp":1751200000000,"message":{"mid":"${mid}","text":"a private word"}}]}]}`;

interface Line {
  event: string;
  [field: string]: unknown;
}

function setUp(options: Partial<ReceiverOptions> = {}) {
  const clock = createManualClock();
  const lines: Line[] = [];
  const calls: { events: readonly InstagramEvent[]; delivery: Delivery }[] = [];
  const receive = createReceiver({
    appSecrets: [undefined, "app-secret\n"],
    verifyToken: "token",
    log: (_level, line) => lines.push(JSON.parse(line) as Line),
    clock,
    ...options,
    onEvents: (events, delivery) => {
      calls.push({ events, delivery });
      return options.onEvents?.(events, delivery);
    },
  });
  const send = async (body = message("m1"), secret = "app-secret") => {
    const headers = { "x-hub-signature-256": await signBody(secret, new TextEncoder().encode(body)) };
    return receive(new Request("https://app.example/hooks", { method: "POST", body, headers }));
  };
  return { receive, send, clock, lines, calls };
}

const codeOf = async (response: Response) => ((await response.json()) as { error: { code: string } }).error.code;

describe("without waitUntil", () => {
  test("a delivery is acknowledged when onEvents resolves, and not before", async () => {
    let resolve = () => {};
    const { send, calls } = setUp({ onEvents: () => new Promise<void>((done) => (resolve = done)) });
    let answered = false;
    const answer = send().finally(() => (answered = true));
    await eventually("onEvents is called", () => calls.length === 1);
    expect(answered).toBe(false);
    resolve();
    const response = await answer;
    expect([response.status, await response.text()]).toEqual([200, "EVENT_RECEIVED"]);
    const [{ events, delivery } = expect.unreachable()] = calls;
    expect(events).toMatchObject([{ kind: "message", key: "message:1:m1", senderId: "2", data: { message: {} } }]);
    expect(response.headers.get("x-delivery-id")).toBe(delivery.id);
    expect(delivery).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      receivedAtMs: expect.any(Number) as number,
      bodyBytes: message("m1").length,
      secretIndex: 0,
      traceparent: expect.stringMatching(/^00-/) as string,
    });
  });

  test("if onEvents rejects, Meta is asked to send again, and the log has no word of the message", async () => {
    const { send, lines } = setUp({ onEvents: () => Promise.reject(new Error("cannot store: a private word")) });
    const response = await send();
    expect([response.status, await codeOf(response)]).toEqual([503, "NOT_KEPT"]);
    expect(lines.map(({ event }) => event)).toEqual(["forward.failed", "acks.withheld", "delivery.refused"]);
    expect(lines[0]).toMatchObject({ cause: "Error", deliveryId: response.headers.get("x-delivery-id") });
    expect(JSON.stringify(lines)).not.toContain("private");
  });

  test("if onEvents throws, that is a rejection", async () => {
    const thrower = () => {
      throw new TypeError("no");
    };
    expect((await setUp({ onEvents: thrower }).send()).status).toBe(503);
  });

  test("after four seconds Meta is asked to send again, within the five that it waits", async () => {
    const { send, clock, calls } = setUp({ onEvents: () => new Promise(() => {}) });
    const answer = send();
    await eventually("the answer waits", () => calls.length === 1 && clock.timersLeft() === 1);
    await clock.advance(4_000);
    expect((await answer).status).toBe(503);
    expect(clock.timersLeft()).toBe(0);
  });

  test("a body that was read before is a fault of the app, which the answer and the log name", async () => {
    const { receive, lines, calls } = setUp();
    const body = message("m1");
    const headers = { "x-hub-signature-256": await signBody("app-secret", new TextEncoder().encode(body)) };
    const used = new Request("https://app.example/hooks", { method: "POST", body, headers });
    await used.text();
    const locked = new Request("https://app.example/hooks", { method: "POST", body, headers });
    locked.body?.getReader();
    const ofNode = { method: "POST", headers, body: JSON.parse(body) as unknown } as unknown as Request;
    for (const [request, fault] of [
      [used, /^The body was read before the receiver/],
      [locked, /^The body was read before the receiver/],
      [ofNode, /^The receiver takes a Request of the Fetch API/],
    ] as const) {
      const response = await receive(request);
      const { error } = (await response.json()) as { error: { code: string; message: string } };
      expect([response.status, error]).toEqual([500, { code: "INTERNAL", message: expect.stringMatching(fault) }]);
      expect(lines.at(-1)).toMatchObject({ event: "delivery.refused", level: "error", reason: error.message });
    }
    expect(calls).toEqual([]);
  });

  test("onEvents and waitUntil may throw anything", async () => {
    for (const thrown of [null, undefined, "text", 7, Object.create(null), Symbol("s")]) {
      const thrower = () => {
        throw thrown;
      };
      expect((await setUp({ onEvents: thrower }).send()).status).toBe(503);
      expect((await setUp({ waitUntil: thrower }).send()).status).toBe(200);
    }
  });

  test("what has a wrong signature or no events does not reach onEvents", async () => {
    const { send, calls } = setUp();
    expect((await send(message("m1"), "another secret")).status).toBe(401);
    expect((await send('{"object":"instagram","entry":[]}')).status).toBe(200);
    expect(calls).toEqual([]);
  });
});

describe("with waitUntil", () => {
  test("a delivery is acknowledged at once, until onEvents has failed; then when events are kept", async () => {
    const waitedFor: Promise<unknown>[] = [];
    const settle: ((isKept: boolean) => void)[] = [];
    const { send, calls } = setUp({
      waitUntil: (promise) => void waitedFor.push(promise),
      onEvents: () =>
        new Promise<void>((resolve, reject) => {
          settle.push((isKept) => (isKept ? resolve() : reject(new Error("down"))));
        }),
    });
    expect((await send(message("m1"))).status).toBe(200);
    expect(settle).toHaveLength(1);
    settle[0]?.(false);
    await Promise.all(waitedFor);

    for (const [isKept, status] of [
      [false, 503],
      [true, 200],
    ] as const) {
      const call = calls.length;
      const answer = send(message("m2"));
      await eventually("onEvents is called again", () => calls.length === call + 1);
      settle.at(-1)?.(isKept);
      expect((await answer).status).toBe(status);
    }
    expect((await send(message("m3"))).status).toBe(200);
    settle.at(-1)?.(true);
    await Promise.all(waitedFor);
  });

  test("if the platform does not take the promise, the answer waits for onEvents", async () => {
    const refuse = () => {
      throw new Error("no request context");
    };
    const { send, lines } = setUp({ waitUntil: refuse, onEvents: () => Promise.reject(new Error("down")) });
    expect((await send()).status).toBe(503);
    expect(lines[0]?.event).toBe("delivery.wait_until_failed");
  });
});

describe("a receiver that lacks its settings", () => {
  test.each([
    ["appSecrets", { appSecrets: ["", undefined] }],
    ["appSecrets", { appSecrets: [" "] }],
  ])("answers deliveries with 503 and names %s", async (name, options) => {
    const response = await setUp(options).send();
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ error: { code: "ENV_INVALID", message: `The receiver has no ${name}` } });
  });

  test("answers the handshake with 503 and names verifyToken", async () => {
    const { receive } = setUp({ verifyToken: undefined });
    const query = "hub.mode=subscribe&hub.challenge=1&hub.verify_token=";
    expect((await receive(new Request(`https://app.example/hooks?${query}`))).status).toBe(503);
  });
});

test("a body over bodyBytesMax is refused, and so are other methods", async () => {
  const { send, receive } = setUp({ bodyBytesMax: 100 });
  expect((await send()).status).toBe(413);
  const response = await receive(new Request("https://app.example/hooks", { method: "DELETE" }));
  expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, POST"]);
});
