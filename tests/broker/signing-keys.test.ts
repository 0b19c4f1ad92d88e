import { Receiver } from "@upstash/qstash";
import { describe, expect, it } from "vitest";

import { createDatabase, keys, openSink, startTestBroker, type TestBroker } from "./test-broker.ts";

interface Pair {
  current: string;
  next: string;
}

async function rotate({ request }: TestBroker): Promise<Pair> {
  return (await request("/v2/keys/rotate", { method: "POST" })).json();
}

async function readKeys({ request }: TestBroker): Promise<Pair> {
  return (await request("/v2/keys")).json();
}

function receiverOf({ current, next }: Pair): Receiver {
  return new Receiver({ currentSigningKey: current, nextSigningKey: next, devMode: false });
}

const given: Pair = { current: keys.currentSigningKey, next: keys.nextSigningKey };

describe("rotating the signing keys", () => {
  it("makes the next key the current one: receivers with the old pair and the new go on, until it is done again", async () => {
    const broker = await startTestBroker();
    const sink = await openSink();
    const verifyWith = async (pair: Pair) => {
      await broker.client.publish({ url: sink.url, body: "b" });
      const signature = String((await sink.next()).headers["upstash-signature"]);
      return receiverOf(pair)
        .verify({ signature, body: "b", url: sink.url })
        .catch(() => false);
    };
    const rotated = await rotate(broker);
    expect(rotated).toEqual({ current: given.next, next: expect.stringMatching(/^sig_[\w-]+$/) });
    expect(await readKeys(broker)).toEqual(rotated);
    expect(await verifyWith(given)).toBe(true);
    expect(await verifyWith(rotated)).toBe(true);

    const again = await rotate(broker);
    expect(again.current).toBe(rotated.next);
    expect(await verifyWith(given)).toBe(false);
    expect(await verifyWith(rotated)).toBe(true);
    expect(await verifyWith(again)).toBe(true);
  });

  it("outlives a restart, until the environment gives other keys", async () => {
    const databaseUrl = await createDatabase();
    const first = await startTestBroker({ databaseUrl });
    const rotated = await rotate(first);
    await first.broker.stop();
    const second = await startTestBroker({ databaseUrl });
    expect(await readKeys(second)).toEqual(rotated);
    await second.broker.stop();

    // Copied to the environment, as docs/QSTASH_SETUP.md says.
    const copied = { currentSigningKey: rotated.current, nextSigningKey: rotated.next };
    const third = await startTestBroker({ databaseUrl, ...copied });
    expect(await readKeys(third)).toEqual(rotated);
    expect((await rotate(third)).current).toBe(rotated.next);
    await third.broker.stop();

    const other = await startTestBroker({ databaseUrl, currentSigningKey: "sig_a", nextSigningKey: "sig_b" });
    expect(await readKeys(other)).toEqual({ current: "sig_a", next: "sig_b" });
  });
});
