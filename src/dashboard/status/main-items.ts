import { amount } from "#operations/condition/amount.ts";
import type { Condition, FailingHandler } from "#operations/condition/condition.ts";
import {
  areAcksWithheld,
  failsTooOften,
  handlerFailures,
  heldAtQueue,
  levelOfMetaHour,
  waitsTooLong,
  worksAgain,
} from "#operations/condition/limits.ts";
import type { Backfill } from "#store/replays/backfill-row.ts";

import { explainReason } from "./refusal-reasons.ts";
import { item, listed, unknownItem, verb, type When } from "./status-words.ts";
import type { StatusItem } from "./status.ts";

/** A handler that fails too often, and in so many of its calls, does nothing useful. */
const failingShareMin = 0.5;

/** What the items are made of. */
export interface Facts {
  condition: Condition;
  /** Deliveries that were lost in the last 30 days; null if that is unknown. */
  lostInMonth: number | null;
  /** Deliveries that were refused in the last 24 hours, without those that had no signature; null if that is unknown. */
  refusedInDay: number | null;
  /** Backfills that run, or wait for a person; null if they are unknown. */
  backfills: readonly Backfill[] | null;
  when: When;
}

/** Deliveries that were acknowledged and are nowhere. */
export function lostItem({ condition: { lost, queue }, lostInMonth, when }: Facts): StatusItem {
  if (lost === null) return unknownItem("lost", "Whether deliveries are lost");
  const { count, isCapped, since, last } = lost;
  const href = listed("deliveries", { outcome: "lost", from: since });
  if (count > 0) {
    const sentence = `${amount(count, "delivery", isCapped)} ${verb(count, "was", "were")} lost since ${when(since ?? "")}${lastAt(last, since, when)}: acknowledged, and neither ${queue.title} nor the store has the events. The log line forward.lost names their keys; relay backfill reads from Instagram’s API what it still has.`;
    return item("lost", { state: "failing", count, isCapped, since, sentence, href });
  }
  const earlier =
    lostInMonth === null || lostInMonth === 0
      ? ""
      : ` ${amount(lostInMonth, "delivery")} ${verb(lostInMonth, "was", "were")} lost in the 29 days before.`;
  return item("lost", { state: "ok", count, sentence: `Nothing was lost in the last 24 hours.${earlier}`, href });
}

/** Deliveries that Meta sends again, or that were not Meta's. */
export function refusedItem({ condition, refusedInDay, when }: Facts): StatusItem {
  const { refused, metaHour, acksWithheld, asOf } = condition;
  if (refused === null) return unknownItem("refused", "Whether deliveries are refused");
  const { count, isCapped, since, byReason } = refused;
  // Meta signs each delivery: what comes without a signature is a stranger's, and refusing it is right.
  const ofMeta = byReason.find(({ reason }) => reason !== "SIGNATURE_MISSING");
  const first = ofMeta ?? byReason[0];
  if (count === 0 || first === undefined) {
    const isEarlier = refusedInDay !== null && refusedInDay > 0;
    const earlier = isEarlier
      ? ` ${amount(refusedInDay, "delivery")} ${verb(refusedInDay, "was", "were")} refused in the 23 hours before.`
      : "";
    const sentence = `No delivery was refused in the last hour.${earlier}`;
    return item("refused", { state: "ok", count: 0, sentence, href: isEarlier ? "/dashboard#refusals" : null });
  }
  const { what, advice } = explainReason(first.reason);
  const of = byReason.length === 1 ? "" : `, ${first.count.toLocaleString("en-US")} of them for one reason`;
  const last = lastAt(first.last, since, when);
  const sentence = `${amount(count, "delivery", isCapped)} ${verb(count, "was", "were")} refused in the last hour, since ${when(since ?? "")}${of}${last}: ${what}. ${advice}`;
  const nowMs = Date.parse(asOf);
  const isUrgent =
    (metaHour !== null && levelOfMetaHour(metaHour, nowMs) > 0) ||
    (acksWithheld !== null && areAcksWithheld(acksWithheld, nowMs));
  const state = isUrgent ? "failing" : ofMeta === undefined ? "ok" : "attention";
  return item("refused", { state, count, isCapped, since, sentence, href: "/dashboard#refusals" });
}

/** Says whether it goes on, since its count stays for the whole window. */
function lastAt(last: string | null, since: string | null, when: When): string {
  return last === null || when(last) === when(since ?? "") ? "" : `, the last at ${when(last)}`;
}

/** What should have gone on, and did not. */
export function stuckItem({ condition, when }: Facts): StatusItem {
  const { stuck, queue, asOf } = condition;
  const atQueue = heldAtQueue(condition);
  if (stuck === null || atQueue === null) return unknownItem("stuck", "Whether something is stuck");
  const count = stuck.count + atQueue.count;
  if (count === 0) return item("stuck", { state: "ok", count, sentence: "Nothing is stuck." });
  const since = [stuck.since, atQueue.since].filter((iso) => iso !== null).toSorted()[0] ?? null;
  const parts = [
    ...(stuck.count === 0
      ? []
      : [
          `${amount(stuck.count, "event", stuck.isCapped)} ${verb(stuck.count, "is", "are")} due since ${when(stuck.since ?? "")}, and nothing handles ${verb(stuck.count, "it", "them")}.`,
        ]),
    ...(atQueue.count === 0
      ? []
      : [
          `${queue.title} has accepted ${atQueue.isCapped ? "" : "at least "}${amount(atQueue.count, "delivery", atQueue.isCapped)} since ${when(atQueue.since ?? "")}, and the consumer has not ingested ${verb(atQueue.count, "it", "them")}.`,
        ]),
  ];
  const href =
    stuck.count > 0
      ? listed("events", { state: "unhandled" })
      : listed("deliveries", { outcome: "published", from: atQueue.since });
  const isCapped = stuck.isCapped || atQueue.isCapped;
  return item("stuck", {
    state: waitsTooLong(since, Date.parse(asOf)) ? "failing" : "attention",
    count,
    isCapped,
    since,
    sentence: parts.join(" "),
    href,
  });
}

/** Events whose handler failed: those that are tried again, and the dead letters. */
export function failingItem({ condition: { failing, retrying, deadLetters, open, asOf }, when }: Facts): StatusItem {
  if (failing === null || retrying === null || deadLetters === null) {
    return unknownItem("failing", "Whether handlers fail");
  }
  const { open: letters, openGroups } = deadLetters;
  const count = retrying.count + letters.count;
  const notable = failing.filter(({ rate }) => rate >= handlerFailures.shareMax);
  const failingStill = notable.filter((handler) => !worksAgain(handler));
  const [worst, ...others] = [...failingStill, ...notable.filter(worksAgain)];
  const oldest = open?.oldest ?? null;
  const isLong = retrying.count > 0 && waitsTooLong(oldest, Date.parse(asOf));
  const parts = [
    ...(worst === undefined ? [] : [describeFailing(worst, when)]),
    ...describeOthers(others, when),
    ...(worst !== undefined && count === 0 ? ["No event is tried again now, and no dead letter is left."] : []),
    ...(retrying.count === 0
      ? []
      : [
          `${amount(retrying.count, "event", retrying.isCapped)} ${verb(retrying.count, "is", "are")} tried again${isLong ? `; the oldest open event was stored at ${when(oldest ?? "")}` : ""}.`,
        ]),
    ...(letters.count === 0
      ? []
      : [
          `${amount(letters.count, "dead letter", letters.isCapped)} ${verb(letters.count, "is", "are")} not resolved, ${openGroups === 0 ? "all in groups that were looked at" : `with ${amount(openGroups, "open group")}`}.`,
        ]),
  ];
  const isDown = failingStill.some((handler) => failsTooOften(handler) && handler.rate >= failingShareMin);
  const state = isDown ? "failing" : worst !== undefined || openGroups > 0 || isLong ? "attention" : "ok";
  return item("failing", {
    state,
    count,
    isCapped: retrying.isCapped || letters.isCapped,
    since: worst?.since ?? deadLetters.newest.at(-1)?.at ?? null,
    sentence: parts.length === 0 ? "No handler fails, and there are no dead letters." : parts.join(" "),
    href: hrefOfFailing(letters.count, retrying.count),
  });
}

function hrefOfFailing(letters: number, retrying: number): string {
  if (letters > 0) return "/dashboard/dead-letters";
  // Without either the handlers' calls say what has failed.
  return retrying > 0 ? listed("events", { state: "retrying" }) : "/dashboard/handlers";
}

function describeOthers(others: readonly FailingHandler[], when: When): string[] {
  const still = others.filter((handler) => !worksAgain(handler)).map(({ kind }) => kind);
  return [
    ...(still.length === 0 ? [] : [`So have those of ${still.join(", ")}.`]),
    ...others.filter(worksAgain).map((handler) => describeFailing(handler, when)),
  ];
}

/**
 * `The handler of comment has failed since 02:14 UTC, since deployment abc: CrmError in 29 of 31 calls in 15 minutes.` Of one
 * that works again: `The handler of comment failed from 02:14 UTC until 02:31 UTC: … and none of the 12 calls since then failed.`
 */
export function describeFailing(handler: FailingHandler, when: When): string {
  const { kind, error, runs, failed, since, lastFailedAt, succeededSince, deployment } = handler;
  const from = deployment === null ? "" : `, since deployment ${deployment}`;
  const calls = `${error} in ${failed.toLocaleString("en-US")} of ${amount(runs, "call")} in 15 minutes`;
  if (!worksAgain(handler)) return `The handler of ${kind} has failed since ${when(since)}${from}: ${calls}.`;
  const again = `none of the ${amount(succeededSince, "call")} since then failed`;
  const [first, last] = [when(since), when(lastFailedAt)];
  const at = first === last ? `at ${first}` : `from ${first} until ${last}`;
  return `The handler of ${kind} failed ${at}${from}: ${calls}, and ${again}.`;
}

/** Events that are stored and whose turn has not come. */
export function waitingItem({ condition: { open, stuck, retrying, pause, queue, asOf }, when }: Facts): StatusItem {
  if (open === null || stuck === null || retrying === null) return unknownItem("waiting", "What waits");
  const count = Math.max(0, open.count - stuck.count - retrying.count);
  const isLong = retrying.count === 0 && waitsTooLong(open.oldest, Date.parse(asOf));
  const held =
    pause?.since && (pause.waiting ?? 0) > 0 ? ` ${amount(pause.waiting ?? 0, "batch")} wait at ${queue.title}.` : "";
  const sentence =
    count === 0
      ? `No event waits for its handler.${held}`
      : `${amount(count, "event", open.isCapped)} ${verb(count, "waits", "wait")} for ${verb(count, "its handler", "their handlers")}; the oldest open event was stored at ${when(open.oldest ?? "")}.${held}`;
  return item("waiting", {
    state: count > 0 && isLong ? "attention" : "ok",
    count,
    isCapped: open.isCapped,
    since: count === 0 ? null : open.oldest,
    sentence,
    href: listed("events", { state: "open" }),
  });
}

/** Whether Meta counts down to unsubscribing the account. */
export function metaHourItem({ condition: { metaHour, asOf }, when }: Facts): StatusItem {
  if (metaHour === null) return unknownItem("metaHour", "Whether Meta’s hour runs");
  const { isRunning, since, minutesLeft } = metaHour;
  if (!isRunning)
    return item("metaHour", {
      state: "ok",
      sentence: "Meta’s hour does not run: too few deliveries are refused for Meta to end the subscription.",
    });
  const sentence = `Meta’s hour has run since ${when(since ?? "")}: in ${amount(minutesLeft ?? 0, "minute")} Meta may end the subscription, unless deliveries are answered with 200 again.`;
  // It begins with any single refusal: most end with the next delivery.
  const state = levelOfMetaHour(metaHour, Date.parse(asOf)) > 0 ? "failing" : "attention";
  return item("metaHour", { state, since, sentence, href: "/dashboard#refusals" });
}
