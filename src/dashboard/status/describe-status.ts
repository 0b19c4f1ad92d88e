import type { Condition } from "#operations/condition/condition.ts";

import { type Facts, failingItem, lostItem, metaHourItem, refusedItem, stuckItem, waitingItem } from "./main-items.ts";
import { otherItems } from "./other-items.ts";
import type { ItemName, ItemState, Status, StatusItem } from "./status.ts";
import type { When } from "./status-words.ts";

/** The first sentence is made of so many items; the page lists all. */
const summedUpMax = 3;

/** The facts in words, the worst first. */
export function describeStatus(facts: Facts): Omit<Status, "deployment"> {
  const { condition } = facts;
  const main = [lostItem, refusedItem, stuckItem, failingItem, waitingItem, metaHourItem].map((of) => of(facts));
  const items = [...main, ...otherItems(facts)];
  const { metaHour } = condition;
  return {
    asOf: condition.asOf,
    status: overall(items),
    sentence: sentenceOf(items, condition, facts.when),
    items,
    metaHour:
      metaHour === null
        ? null
        : { isRunning: metaHour.isRunning, since: metaHour.since, minutesLeft: metaHour.minutesLeft },
    lastDeliveryAt: condition.silence?.lastDeliveryAt ?? null,
  };
}

function overall(items: readonly StatusItem[]): Status["status"] {
  if (items.some(({ state }) => state === "failing")) return "failing";
  return items.every(({ state }) => state === "ok") ? "ok" : "attention";
}

const severity: readonly ItemState[] = ["failing", "attention", "unknown", "ok"];

/** These explain the others, or end by themselves within the hour: of equals they come first. */
const urgent: ReadonlySet<ItemName> = new Set(["store", "lost", "metaHour", "publish"]);
const haste = ({ name }: StatusItem) => (urgent.has(name) ? 0 : 1);

function sentenceOf(items: readonly StatusItem[], { store, silence }: Condition, when: When): string {
  const bad = items
    .filter(({ state }) => state !== "ok")
    .toSorted((a, b) => severity.indexOf(a.state) - severity.indexOf(b.state) || haste(a) - haste(b));
  const isAnythingLost = items.find(({ name }) => name === "lost")?.state;
  if (store === "down") return bad.find(({ name }) => name === "store")?.sentence ?? "";
  if (bad.length === 0) {
    const last = silence?.lastDeliveryAt ?? null;
    const newest = last === null ? "No delivery has arrived yet." : `The last delivery arrived at ${when(last)}.`;
    return `Nothing is lost, stuck or failing. ${newest}`;
  }
  const summedUp = bad.slice(0, summedUpMax).map(({ sentence }) => firstSentence(sentence));
  const rest = bad.length - summedUp.length;
  return [
    ...(isAnythingLost === "ok" ? ["Nothing is lost."] : []),
    ...summedUp,
    ...(rest === 0 ? [] : [rest === 1 ? "One more thing needs attention." : `${rest} more things need attention.`]),
  ].join(" ");
}

/** What is said first; advice follows, and stands with the item. */
function firstSentence(text: string): string {
  return /^.*?[.](?= [A-Z\d]|$)/s.exec(text)?.[0] ?? text;
}
