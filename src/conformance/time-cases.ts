import { accepts, acceptsBodyIn, type ConformanceCase, faultUnlessAccepted } from "./conformance-case.ts";
import { bodyOf, commentChange, messageBody } from "./deliveries.ts";
import { type Answer, NoAnswer } from "./exchange.ts";
import { changesEntry, item, messagingEntry, mid } from "./payloads.ts";
import type { Receiver } from "./receiver.ts";

const retries = "Meta repeats a delivery for up to 36 hours until it is answered with 200 in time.";
const disorder = "Meta promises no order, and a repeated delivery arrives after newer ones.";

/** Repeated deliveries, and events out of order. */
export const repeatCases: ConformanceCase[] = [
  accepts({
    id: "repeat.again",
    level: "must",
    checks: "accepted, three times: the same delivery",
    why: retries,
    send: ({ clock }) => {
      const body = messageBody(clock.nowMs());
      return [{ body }, { body }, { body }];
    },
  }),
  {
    id: "repeat.at-once",
    level: "must",
    checks: "accepted, ten times at once: the same delivery",
    why: retries,
    run: (receiver) => {
      const body = messageBody(receiver.clock.nowMs());
      return firstFault(Array.from({ length: 10 }, () => receiver.deliver({ body })));
    },
  },
  accepts({
    id: "repeat.regrouped",
    level: "must",
    checks: "accepted: known events among new ones",
    why: "Meta does not promise to repeat a batch with the same events.",
    send: ({ clock }) => {
      const nowMs = clock.nowMs();
      const [first, second] = [commentChange("first"), commentChange("second")];
      return [changesEntry(nowMs, first), changesEntry(nowMs, second, first, first)].map((one) => ({
        body: bodyOf(one),
      }));
    },
  }),
  accepts({
    id: "order.older-later",
    level: "must",
    checks: "accepted: an older event after a newer one",
    why: disorder,
    send: ({ clock }) => {
      const nowMs = clock.nowMs();
      return [nowMs, nowMs - 86_400_000].map((atMs) => ({ body: messageBody(atMs) }));
    },
  }),
  accepts({
    id: "order.effect-first",
    level: "must",
    checks: "accepted: reaction, read receipt and deletion before their message",
    why: disorder,
    send: ({ clock }) => {
      const nowMs = clock.nowMs();
      const about = { mid: mid() };
      const contents = [
        { reaction: { ...about, action: "react", reaction: "love", emoji: "❤️" } },
        { read: about },
        { message: { ...about, is_deleted: true } },
        { message: { ...about, text: "first in time" } },
      ];
      return contents.map((content) => ({ body: bodyOf(messagingEntry(nowMs, item(nowMs, content))) }));
    },
  }),
];

const inTime = acceptsBodyIn("time");

/** How long a receiver takes to answer, and how long it waits for a body. */
export const timeCases: ConformanceCase[] = [
  {
    id: "time.at-once",
    level: "must",
    checks: "fifty deliveries at once are all accepted",
    why: "Popular accounts get comments in bursts.",
    pace: "alone",
    run: (receiver) => firstFault(Array.from({ length: 50 }, () => deliverMessage(receiver))),
  },
  {
    id: "time.limit",
    level: "must",
    checks: "thirty deliveries, one after another, are each answered within 5 s",
    why: "Meta counts a later answer as a failure (https://developers.facebook.com/docs/messenger-platform/webhooks).",
    pace: "alone",
    run: async (receiver) => {
      for (let count = 0; count < 30; count += 1) {
        const fault = faultUnlessAccepted(await deliverMessage(receiver));
        if (fault !== null) return fault;
      }
      return null;
    },
  },
  {
    id: "time.second",
    level: "should",
    checks: "at most one of twenty deliveries takes over a second",
    why: "An answer that is slow on a quiet day is late on a busy one. Do the work after the answer, or in a queue.",
    pace: "alone",
    run: async (receiver) => {
      const slow: number[] = [];
      for (let count = 0; count < 20; count += 1) {
        const { ms } = await deliverMessage(receiver);
        if (ms > 1_000) slow.push(ms);
      }
      return slow.length > 1
        ? `${slow.length} took over 1 s, the slowest ${(Math.max(...slow) / 1000).toFixed(1)} s`
        : null;
    },
  },
  inTime(
    "pieces",
    "must",
    "a body that arrives in many pieces",
    "A network may divide a body anywhere, even within a character.",
    messageBody,
    { pieces: 40, pauseMs: 5 },
  ),
  {
    pace: "patient",
    ...inTime(
      "slow-sender",
      "should",
      "a body that takes two seconds to arrive",
      "Packets get lost, and Meta's 5 s start when the whole body is sent.",
      messageBody,
      { pieces: 6, pauseMs: 400 },
    ),
  },
  {
    id: "time.stalled-sender",
    level: "should",
    checks: "the receiver stops waiting for a sender that stops halfway",
    why: "Otherwise a few hundred unfinished requests can occupy the whole receiver.",
    pace: "patient",
    run: async (receiver) => {
      const limitMs = receiver.patienceMs;
      try {
        const { status } = await receiver.deliver({ body: messageBody(receiver.clock.nowMs()), stalls: true, limitMs });
        return status < 400 ? `answered ${status} to half a body` : null;
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        return error.code === "LIMIT" ? `still waiting after ${limitMs / 1000} s` : null;
      }
    },
  },
];

function deliverMessage(receiver: Receiver): Promise<Answer> {
  return receiver.deliver({ body: messageBody(receiver.clock.nowMs()) });
}

async function firstFault(answers: readonly Promise<Answer>[]): Promise<string | null> {
  const settled = await Promise.all(answers);
  return settled.map(faultUnlessAccepted).find((fault) => fault !== null) ?? null;
}
