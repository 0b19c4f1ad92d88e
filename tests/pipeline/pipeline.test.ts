import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startTestRelay, type TestRelay } from "../support/relay.ts";
import { webhookRuntimes } from "../support/webhook-runtimes.ts";

let relay: TestRelay;
beforeAll(async () => {
  relay = await startTestRelay();
});
afterAll(() => relay.stop());

const account = "17841400000000001";
const envelope = (...items: unknown[]) =>
  JSON.stringify({ object: "instagram", entry: [{ id: account, time: Date.now(), messaging: items }] });
const message = (mid: string, text = "hello") => ({
  sender: { id: "1000000000000101" },
  recipient: { id: account },
  timestamp: Date.now(),
  message: { mid, text },
});

describe.each([
  ["edge", webhookRuntimes[0]],
  ["node", webhookRuntimes[1]],
] as const)("a delivery to the %s route", (to, runtime) => {
  test("becomes rows, handler calls and a journey with every station in order", async () => {
    const response = await relay.deliver(to, envelope(message(`${to}-1`), message(`${to}-2`)));
    expect([response.status, await response.text()]).toEqual([200, "EVENT_RECEIVED"]);
    const id = response.headers.get("x-delivery-id") ?? "";

    const journey = await relay.journey(id);
    expect(journey).toMatchObject({ id, runtime, probe: false, outcome: "published", error: null });
    expect(journey).toMatchObject({ events: 2, inserted: 2, duplicates: 0 });
    const stations = ["receivedAt", "deliveredAt", "ingestedAt", "handledAt"].map((name) => String(journey[name]));
    expect(stations).toEqual(stations.toSorted());
    expect(journey["publishedAt"]).toEqual(expect.any(String));

    const { events } = (await relay.ops(`events?deliveryId=${id}`)) as { events: Record<string, unknown>[] };
    expect(events.map(({ key }) => String(key)).toSorted()).toEqual([
      `message:${account}:${to}-1`,
      `message:${account}:${to}-2`,
    ]);
    expect(events[0]).toMatchObject({ kind: "message", accountId: account, data: { message: { text: "hello" } } });
  });

  test("that is repeated inserts nothing", async () => {
    const body = envelope(message(`${to}-repeated`));
    const first = await relay.deliver(to, body);
    await relay.journey(first.headers.get("x-delivery-id") ?? "");
    const second = await relay.deliver(to, body);
    const journey = await relay.journey(second.headers.get("x-delivery-id") ?? "");
    expect(journey).toMatchObject({ events: 1, inserted: 0, duplicates: 1 });
  });

  test("keeps its text letter for letter", async () => {
    const text = 'NUL \0, astral 🚀, slash \\/, quote " and ünïcode';
    const raw = envelope(message(`${to}-text`, text)).replace(
      '"timestamp":',
      '"big":12345678901234567890,"timestamp":',
    );
    // A half of a surrogate pair can only be written as an escape.
    const response = await relay.deliver(to, raw.replace("ünïcode", "ünïcode \\ud83d"));
    await relay.journey(response.headers.get("x-delivery-id") ?? "");
    const id = response.headers.get("x-delivery-id") ?? "";
    const { events } = (await relay.ops(`events?deliveryId=${id}`)) as { events: Record<string, unknown>[] };
    expect(events[0]).toMatchObject({ data: { big: "12345678901234567890", message: { text: `${text} \ud83d` } } });
  });

  test("of an unknown shape, or that is no JSON, is stored as unknown", async () => {
    for (const body of [envelope({ novelty: to }), `{"not json" ${to}`]) {
      const response = await relay.deliver(to, body);
      expect(response.status).toBe(200);
      const id = response.headers.get("x-delivery-id") ?? "";
      expect(await relay.journey(id)).toMatchObject({ events: 1, inserted: 1 });
      const { events } = (await relay.ops(`events?deliveryId=${id}`)) as { events: Record<string, unknown>[] };
      expect(events).toMatchObject([{ kind: "unknown" }]);
    }
  });

  test("without events is completed too", async () => {
    const response = await relay.deliver(to, '{"object":"instagram","entry":[]}');
    expect(await relay.journey(response.headers.get("x-delivery-id") ?? "")).toMatchObject({ events: 0 });
  });

  test("of a thousand events arrives whole, in parts", async () => {
    const items = Array.from({ length: 1_000 }, (_, index) => message(`${to}-many-${index}`));
    const response = await relay.deliver(to, envelope(...items));
    const journey = await relay.journey(response.headers.get("x-delivery-id") ?? "");
    expect(journey).toMatchObject({ events: 1_000, inserted: 1_000, duplicates: 0 });
  });

  test.each([
    ["forged", "{}", { "x-hub-signature-256": `sha256=${"0".repeat(64)}` }, 401],
    ["unsigned", "{}", { "x-hub-signature-256": "" }, 401],
    ["over the limit", "x".repeat(3_145_729), {}, 413],
    ["far over what the server passes on", "x".repeat(11_000_000), {}, 413],
  ])("that is %s is refused", async (_name, body, headers, status) => {
    const response = await relay.deliver(to, body, headers);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ error: { code: expect.any(String), message: expect.any(String) } });
  });

  test("over the limit and without a length is refused", async () => {
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let sent = 0; sent < 4; sent += 1) controller.enqueue(new Uint8Array(1_000_000));
        controller.close();
      },
    });
    const path = `/api/webhooks/instagram${to === "node" ? "/node" : ""}`;
    // Without a signature at all it would not even be read.
    const headers = { "x-hub-signature-256": `sha256=${"0".repeat(64)}` };
    const init = { method: "POST", body: stream, duplex: "half", headers } as RequestInit;
    const response = await fetch(relay.baseUrl + path, init);
    // The rest stays unread, so the connection must not be used again.
    expect([response.status, response.headers.get("connection")]).toEqual([413, "close"]);
  });
});

test("/api/ops/runtimes compares both runtimes from stored deliveries", async () => {
  const { runtimes } = (await relay.ops("runtimes?window=15m")) as { runtimes: Record<string, unknown>[] };
  expect(runtimes.map(({ runtime }) => runtime)).toEqual(["edge", "nodejs"]);
  for (const measured of runtimes.filter(({ runtime }) => webhookRuntimes.some((used) => used === runtime))) {
    expect(measured).toMatchObject({ publishSuccessRate: 1, lost: 0 });
    for (const name of ["ackMs", "publishMs"]) {
      expect(measured[name]).toMatchObject({
        p50: expect.any(Number),
        p95: expect.any(Number),
        p99: expect.any(Number),
      });
    }
  }
});

test("an unknown or repeated parameter is refused everywhere in /api/ops", async () => {
  const { baseUrl } = relay;
  for (const path of ["events", "deliveries", "deliveries/x", "handlers", "runtimes", "drift", "dead-letters"]) {
    for (const query of ["acount=1", "limit=1&limit=2"]) {
      const headers = { authorization: "Bearer ops-token-of-thirty-two-characters" };
      const response = await fetch(`${baseUrl}/api/ops/${path}?${query}`, { headers });
      expect([path, query, response.status, await response.json()]).toMatchObject([
        path,
        query,
        400,
        { error: { code: "REQUEST_INVALID" } },
      ]);
    }
  }
});

test("a forged call never reaches the consumer's database", async () => {
  for (const path of ["instagram-ingestion", "instagram-failure"]) {
    const response = await fetch(`${relay.baseUrl}/api/qstash/${path}`, {
      method: "POST",
      body: "{}",
      headers: { "upstash-signature": "a.b.c" },
    });
    expect(response.status).toBe(401);
  }
});

test("every route of /api/ops needs the token", async () => {
  for (const path of ["events", "deliveries", "deliveries/x", "handlers", "runtimes", "drift", "dead-letters"]) {
    expect((await fetch(`${relay.baseUrl}/api/ops/${path}`)).status).toBe(401);
  }
  expect((await fetch(`${relay.baseUrl}/api/health`)).status).toBe(200);
});
