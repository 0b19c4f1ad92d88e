import { accountId, mid, userId } from "./payloads.ts";
import { accepts, type ConformanceCase, faultUnlessAccepted } from "./conformance-case.ts";
import { bodyOf, change, changesEntry, item, messageBody, messagingEntry } from "./deliveries.ts";
import { type Answer, NoAnswer } from "./exchange.ts";
import type { Receiver } from "./receiver.ts";

const retries =
  "What is not answered with 200 Meta repeats for up to 36 hours, and it repeats what was merely answered late.";
const disorder = "Meta promises no order, least of all after a failure.";

/** The same again, and earlier after later. */
export const repeatCases: ConformanceCase[] = [
  accepts({
    id: "repeat.again",
    level: "must",
    checks: "taken, three times: the same delivery",
    why: retries,
    send: ({ clock }) => {
      const body = messageBody(clock.nowMs());
      return [{ body }, { body }, { body }];
    },
  }),
  {
    id: "repeat.at-once",
    level: "must",
    checks: "taken, all of them: the same delivery ten times at once",
    why: retries,
    run: (receiver) => {
      const body = messageBody(receiver.clock.nowMs());
      return firstFault(Array.from({ length: 10 }, () => receiver.deliver({ body })));
    },
  },
  accepts({
    id: "repeat.regrouped",
    level: "must",
    checks: "taken: known events among new ones",
    why: "Nothing says that a repetition has the same batches.",
    send: ({ clock }) => {
      const nowMs = clock.nowMs();
      const [first, second] = [change("first"), change("second")];
      return [changesEntry(nowMs, first), changesEntry(nowMs, second, first, first)].map((one) => ({
        body: bodyOf(one),
      }));
    },
  }),
  accepts({
    id: "order.older-later",
    level: "must",
    checks: "taken: what happened earlier, after what happened later",
    why: disorder,
    send: ({ clock }) => {
      const nowMs = clock.nowMs();
      return [nowMs, nowMs - 86_400_000].map((atMs) => ({ body: messageBody(atMs) }));
    },
  }),
  accepts({
    id: "order.effect-first",
    level: "must",
    checks: "taken: reaction, reading and deletion before their message",
    why: disorder,
    send: ({ clock }) => {
      const nowMs = clock.nowMs();
      const about = { mid: mid() };
      const both = { sender: { id: userId() }, recipient: { id: accountId }, timestamp: nowMs };
      const contents = [
        { reaction: { ...about, action: "react", reaction: "love", emoji: "❤️" } },
        { read: about },
        { message: { ...about, is_deleted: true } },
        { message: { ...about, text: "first in time" } },
      ];
      return contents.map((content) => ({ body: bodyOf(messagingEntry(nowMs, { ...both, ...content })) }));
    },
  }),
];

/** How long it takes, and how long it waits. */
export const timeCases: ConformanceCase[] = [
  {
    id: "time.at-once",
    level: "must",
    checks: "fifty deliveries at once are all taken",
    why: "Accounts that are talked about get comments in bursts.",
    pace: "alone",
    run: (receiver) => firstFault(Array.from({ length: 50 }, () => deliverMessage(receiver))),
  },
  {
    id: "time.limit",
    level: "must",
    checks: "thirty deliveries, one by one, all within 5 s",
    why: "Meta waits so long (https://developers.facebook.com/docs/messenger-platform/webhooks); later counts as failed.",
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
    checks: "of twenty deliveries at most one takes over a second",
    why: "What is slow on a quiet day is late on a busy one. The work belongs after the answer, or into a queue.",
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
  accepts({
    id: "time.pieces",
    level: "must",
    checks: "taken: a body that arrives in many pieces",
    why: "A network cuts where it likes, in the middle of a character too.",
    send: ({ clock }) => ({ body: messageBody(clock.nowMs()), pieces: 40, pauseMs: 5 }),
  }),
  accepts({
    id: "time.slow-sender",
    level: "should",
    checks: "taken: a body that takes two seconds to arrive",
    why: "Packets get lost, and Meta's time runs from the whole body.",
    pace: "patient",
    send: ({ clock }) => ({ body: messageBody(clock.nowMs()), pieces: 6, pauseMs: 400 }),
  }),
  {
    id: "time.stalled-sender",
    level: "should",
    checks: "a sender that stops halfway is not waited for for ever",
    why: "Else a few hundred connections that never end keep a receiver from its work.",
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
  const nowMs = receiver.clock.nowMs();
  return receiver.deliver({ body: bodyOf(messagingEntry(nowMs, item(nowMs))) });
}

async function firstFault(answers: readonly Promise<Answer>[]): Promise<string | null> {
  const settled = await Promise.all(answers);
  return settled.map(faultUnlessAccepted).find((fault) => fault !== null) ?? null;
}
