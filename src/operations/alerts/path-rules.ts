// The rules about what arrives: lost and refused deliveries, the ack, the queue, silence.
import { amount } from "../condition/amount.ts";
import { areAcksSlow, areAcksWithheld, levelOfMetaHour, since } from "../condition/limits.ts";
import { type AlertRule, atOnce, atSecond, one, percent } from "./alert-rule.ts";
import { describeDuration } from "./describe-duration.ts";

const minuteMs = 60_000;
/** So long after the last one, no more are lost. */
const lostRecentMs = 15 * minuteMs;
/** A rule that fires is resolved only well below its limit, so that what swings around it is one alert. */
const slowShareResolves = 0.005;
/** After a delivery within so long nothing is silent. */
const arrivedRecentMs = 60 * minuteMs;

const lost: AlertRule = {
  name: "lost",
  title: "Deliveries are lost",
  severity: "critical",
  unit: "count",
  threshold: "one in the last 15 minutes",
  advice:
    "The log line forward.lost names the keys of their events. Mend the queue or the fallback first: more are lost until then. npm run relay -- backfill then reads from Instagram's API what that still has.",
  path: () => "/dashboard/deliveries?outcome=lost",
  patience: { firesAfterMs: 0, resolvesAfterMs: 0 },
  isDirect: true,
  judge({ lost: fact }, nowMs) {
    if (fact === null) return null;
    const ago = since(fact.last, nowMs);
    const text =
      ago === null
        ? "No delivery was lost in 24 hours."
        : `${amount(fact.count, "delivery", fact.isCapped)} lost in 24 hours, the last one ${describeDuration(ago)} ago.`;
    return one(ago !== null && ago < lostRecentMs ? 1 : 0, fact.count, text);
  },
};

const acksWithheld: AlertRule = {
  name: "acks-withheld",
  title: "Acks are withheld",
  severity: "critical",
  unit: "count",
  threshold: "one in the last 10 minutes",
  advice:
    "Neither the queue nor the fallback keeps deliveries, so Meta gets 503 and sends them again, for an hour. npm run relay -- doctor finds the cause.",
  path: () => "/dashboard/deliveries?outcome=refused",
  patience: atOnce,
  isDirect: true,
  judge({ acksWithheld: fact }, nowMs) {
    if (fact === null) return null;
    const text =
      fact.count === 0
        ? "No ack was withheld in the last hour."
        : `${amount(fact.count, "delivery", fact.isCapped)} refused in the last hour because nothing kept them.`;
    return one(areAcksWithheld(fact, nowMs) ? 1 : 0, fact.count, text);
  },
};

const metaHour: AlertRule = {
  name: "meta-hour",
  title: "Meta's hour is running",
  severity: "critical",
  unit: "ms",
  threshold: "half of what Meta sends refused for 15, 30 and 45 minutes",
  advice:
    "After an hour of failures Meta unsubscribes the account. The reasons on the status page say what to correct.",
  path: () => "/dashboard",
  patience: { ...atOnce, resolvesAfterMs: 4 * minuteMs },
  isDirect: true,
  judge({ metaHour: fact, refused }, nowMs) {
    if (fact === null) return null;
    const ms = since(fact.since, nowMs) ?? 0;
    const reason = refused?.byReason.find(({ reason: name }) => name !== "SIGNATURE_MISSING")?.reason;
    const text = fact.isRunning
      ? `Deliveries have been refused for ${describeDuration(ms)}${reason === undefined ? "" : `, most with ${reason}`}: ${fact.minutesLeft ?? 0} minutes are left.`
      : "Meta gets its answers.";
    return one(levelOfMetaHour(fact, nowMs), fact.isRunning ? ms : 0, text);
  },
};

const publishFailing: AlertRule = {
  name: "publish-failing",
  title: "Publishing to the queue fails",
  severity: "warning",
  unit: "count",
  threshold: "the newest 3 forwards, or more than half of the newest 20, at two evaluations",
  advice:
    "The fallback stores what the queue does not accept. The error types of the deliveries name the cause; npm run relay -- doctor checks it.",
  path: () => "/dashboard/deliveries?outcome=fallback",
  patience: atSecond,
  isDirect: true,
  judge({ publish, queue }) {
    if (publish === null) return null;
    const isFailing = publish.state === "failing";
    return one(
      isFailing ? 1 : 0,
      null,
      isFailing ? `The newest deliveries went past ${queue.title}.` : `${queue.title} accepts the newest deliveries.`,
    );
  },
};

const ackSlow: AlertRule = {
  name: "ack-slow",
  title: "Acks are slow",
  severity: "warning",
  unit: "share",
  threshold: "1 % of at least 50 acks over 1 s (so p99 over 1 s), at two evaluations",
  advice:
    "Compare warm and cold starts, and regions, on the page Edge and Node. ACK_MODE durable and race wait for the queue.",
  path: () => "/dashboard/deliveries?ackMsMin=1000",
  patience: atSecond,
  isDirect: false,
  judge({ ack }) {
    if (ack === null) return null;
    const { count, p99Ms, overOneSecond } = ack;
    if (overOneSecond === null || p99Ms === null) return one(null, null, "No ack in the last 15 minutes.");
    const text = `${percent(overOneSecond)} of ${amount(count, "ack")} took over 1 s; p99 is ${describeMs(p99Ms)}.`;
    if (areAcksSlow(ack)) return one(1, overOneSecond, text);
    return one(overOneSecond <= slowShareResolves ? 0 : null, overOneSecond, text);
  },
};

const canaryMissing: AlertRule = {
  name: "canary-missing",
  title: "A canary did not arrive",
  severity: "warning",
  unit: "count",
  threshold: "not ingested 10 minutes after it was sent, or none sent when one was due",
  advice:
    "A canary is a probe that goes the whole way of a delivery. The list has the last ones with their journeys; npm run relay -- doctor checks each part of the way.",
  path: () => "/dashboard/deliveries?probe=true",
  patience: atSecond,
  isDirect: true,
  judge({ canary }, nowMs) {
    if (canary === null) return null;
    if (!canary.isExpected) return one(0, null, "Probes are off.");
    const ago = (instant: string | null) => describeDuration(since(instant, nowMs) ?? 0);
    if (canary.sentAt === null) return one(null, null, "No canary was sent yet.");
    if (canary.missingOn.length > 0) {
      return one(1, canary.missingOn.length, `The newest canary has not arrived by ${canary.missingOn.join(" and ")}.`);
    }
    if (canary.isOverdue) return one(1, null, `The last canary was sent ${ago(canary.sentAt)} ago.`);
    return one(
      0,
      0,
      canary.arrivedAt === null ? "The first canary is on its way." : `One arrived ${ago(canary.arrivedAt)} ago.`,
    );
  },
};

const silent: AlertRule = {
  name: "silence",
  title: "No delivery arrives",
  severity: "warning",
  unit: "count",
  threshold: "none where 18 were usual at these hours of at least 3 weeks",
  advice:
    "Meta may have unsubscribed the account: check its subscription and the webhook's address, then run npm run relay -- doctor.",
  path: () => "/dashboard/deliveries",
  patience: atSecond,
  isDirect: false,
  judge({ silence }, nowMs) {
    if (silence === null) return null;
    const { lastDeliveryAt, expected, verdict } = silence;
    const ago = since(lastDeliveryAt, nowMs);
    const last = ago === null ? "No delivery in four weeks" : `The last delivery arrived ${describeDuration(ago)} ago`;
    if (verdict === "silent") return one(1, expected, `${last}; ${Math.round(expected)} were usual since then.`);
    if (ago !== null && ago < arrivedRecentMs) return one(0, expected, `${last}.`);
    if (verdict === "unknown") return one(null, null, `${last}: too little traffic to tell whether that is unusual.`);
    return one(0, expected, `${last}, which is usual.`);
  },
};

export const pathRules: readonly AlertRule[] = [
  lost,
  acksWithheld,
  metaHour,
  publishFailing,
  ackSlow,
  canaryMissing,
  silent,
];

function describeMs(ms: number): string {
  return ms >= 1_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms)} ms`;
}
