import { afterEach, beforeAll, describe, expect, test } from "vitest";

import { systemClock as clock } from "#platform/clock.ts";
import type { PulledMessage, PulledQueue } from "#queue/pulled-queue.ts";

import { eventually } from "../support/eventually.ts";
import { everyCharacter, jsonOf, nameOf } from "./contract-bodies.ts";

/** A queue that is drained, empty. */
export interface PulledRig {
  queue: PulledQueue;
  /** The same queue, as another process opens it. */
  other: PulledQueue;
  /** Puts a batch into it, as the webhook's publisher does. */
  publish: (body: Uint8Array<ArrayBuffer>, traceparent?: string | null) => Promise<unknown>;
  /** Of one message; a larger one is not published. */
  bytesMax: number;
  /** Makes the queue unreachable, and reachable again. */
  goDown: () => Promise<void>;
  comeUp: () => Promise<void>;
  /** Whether takings that tell nothing of a message stay uncounted. */
  uncounts: boolean;
  close: () => Promise<void>;
}

const timeoutMs = 5_000;
const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
/** Longer than a test. */
const longMs = 60_000;
/** The shortest that every queue knows: SQS counts whole seconds. */
const shortMs = 1_000;

/** What the drain relies on, whichever queue it takes from. One rig serves all tests: each leaves the queue empty. */
export function testPulledQueue(name: string, start: () => Promise<PulledRig>): void {
  describe(`the queue ${name}`, () => {
    let rig: PulledRig;
    beforeAll(async () => {
      rig = await start();
      return () => rig.close();
    });
    afterEach(() => rig.comeUp());

    const takeOne = (queue = rig.queue, leaseMs = longMs) =>
      eventually("a message can be taken", async () => {
        const [message] = await queue.take(1, leaseMs, timeoutMs);
        return message;
      });
    const isEmpty = async (queue = rig.other) => (await queue.take(10, longMs, timeoutMs)).length === 0;
    const publishNew = async (mark: string) => {
      const body = jsonOf(200, `${mark} ${crypto.randomUUID()}`);
      await rig.publish(body);
      return nameOf(body);
    };

    test("an empty queue has nothing to take, and says so soon", async () => {
      const startedAt = clock.monotonicMs();
      expect(await rig.queue.take(10, longMs, timeoutMs)).toEqual([]);
      expect(clock.monotonicMs() - startedAt).toBeLessThan(2_000);
    });

    test("hands over what was published, each character as it was, with its trace, and the largest body too", async () => {
      const bodies = [...everyCharacter(), jsonOf(rig.bytesMax, "largest")];
      for (const [index, body] of bodies.entries()) await rig.publish(body, index > 0 ? traceparent : null);
      const taken: PulledMessage[] = [];
      await eventually("all messages are taken", async () => {
        taken.push(...(await rig.queue.take(10, longMs, timeoutMs)));
        return taken.length >= bodies.length;
      });
      expect(taken.map(({ body }) => nameOf(body)).toSorted()).toEqual(bodies.map(nameOf).toSorted());
      const [untraced, ...traced] = bodies.map((body) => taken.find((one) => nameOf(one.body) === nameOf(body)));
      expect(untraced?.traceparent).toBeNull();
      expect(new Set(traced.map((message) => message?.traceparent))).toEqual(new Set([traceparent]));
      for (const message of taken) {
        expect(message).toMatchObject({ route: "instagram-ingestion", retried: 0 });
        await rig.queue.acknowledge(message, timeoutMs);
      }
      expect(await isEmpty()).toBe(true);
    });

    test("takes no more than it is asked for, and two takers share nothing", async () => {
      const published: string[] = [];
      for (let index = 0; index < 12; index += 1) published.push(await publishNew(`shared ${index}`));
      const taken: PulledMessage[] = [];
      await eventually("all messages are taken", async () => {
        const takings = await Promise.all([rig.queue, rig.other].map((queue) => queue.take(3, longMs, timeoutMs)));
        for (const messages of takings) expect(messages.length).toBeLessThanOrEqual(3);
        taken.push(...takings.flat());
        return taken.length >= published.length;
      });
      expect(taken.map(({ body }) => nameOf(body)).toSorted()).toEqual(published.toSorted());
      for (const message of taken) await rig.other.acknowledge(message, timeoutMs);
    });

    test("a message that is not acknowledged comes again when its lease ends, and says how often it came", async () => {
      const published = await publishNew("leased");
      const first = await takeOne(rig.queue, shortMs);
      expect(await isEmpty()).toBe(true);
      const second = await takeOne(rig.other);
      expect([first, second].map(({ body }) => nameOf(body))).toEqual([published, published]);
      expect(second).toMatchObject({ id: first.id, retried: 1 });

      // The first taker comes back late: it may have died, or only slept.
      await rig.queue.giveBack(first, 0, timeoutMs);
      await rig.queue.acknowledge(first, timeoutMs);
      expect(await isEmpty(rig.queue)).toBe(true);
      await rig.other.giveBack(second, 0, timeoutMs);
      const third = await takeOne(rig.other);
      expect(third).toMatchObject({ id: first.id, retried: 2 });
      await rig.other.acknowledge(third, timeoutMs);
      await rig.queue.acknowledge(first, timeoutMs);
      expect(await isEmpty()).toBe(true);
    });

    test("a message that is given back comes again, at once or after its delay", async () => {
      await publishNew("given back");
      await rig.queue.giveBack(await takeOne(), 0, timeoutMs);
      const again = await takeOne(rig.other);
      expect(again.retried).toBe(1);
      await rig.other.giveBack(again, 2 * shortMs, timeoutMs);
      expect(await isEmpty()).toBe(true);
      const last = await takeOne();
      expect(last.retried).toBe(2);
      await rig.queue.giveBack(last, 0, timeoutMs, true);
      const uncounted = await takeOne();
      expect(uncounted.retried).toBe(rig.uncounts ? 2 : 3);
      await rig.queue.acknowledge(uncounted, timeoutMs);
      expect(await isEmpty()).toBe(true);
    });

    test("an outage rejects each call, in time, and loses nothing", async () => {
      const published = await publishNew("outage");
      const message = await takeOne(rig.queue, shortMs);
      await rig.goDown();
      const startedAt = clock.monotonicMs();
      await expect(rig.queue.take(1, longMs, 1_000)).rejects.toBeInstanceOf(Error);
      await expect(rig.queue.acknowledge(message, 1_000)).rejects.toBeInstanceOf(Error);
      await expect(rig.queue.giveBack(message, 0, 1_000)).rejects.toBeInstanceOf(Error);
      expect(clock.monotonicMs() - startedAt).toBeLessThan(8_000);
      await rig.comeUp();
      const again = await takeOne();
      expect(nameOf(again.body)).toBe(published);
      await rig.queue.acknowledge(again, timeoutMs);
    });
  });
}
