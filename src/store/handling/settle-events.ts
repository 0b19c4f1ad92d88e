import type { Database } from "../connection/database.ts";
import { runStatement, type Values } from "../connection/named-statement.ts";
import { repeatConflicts } from "../connection/repeat-conflicts.ts";
import { storableInstant, storableText } from "../connection/storable.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { factsOfHandlers } from "../ingest/measured-facts.ts";
import type { HandlerResult } from "./leased-event.ts";
import { settleAny, settleFirstSuccesses, settleManyFirstSuccesses, type SettleParameter } from "./settle-statement.ts";

export interface Settlement {
  results: readonly HandlerResult[];
  /** What the handlers that succeeded counted, by name. */
  counts: ReadonlyMap<string, number>;
  deployment: string | null;
  /** The queue's id of the message that led to these calls. */
  messageId: string | null;
}

/**
 * Stores how leases ended, in one statement. A success is stored whatever has happened since; anything else only while its
 * lease is the event's newest. Returns the ids of the events whose result came too late for that. Throws
 * `STORE_UNAVAILABLE`; then it is not known whether it is stored, and a repeated call changes nothing that is.
 */
export async function settleEvents(db: Database, settlement: Settlement): Promise<{ lost: number[] }> {
  if (settlement.results.length === 0) return { lost: [] };
  const isFirst = areFirstSuccesses(settlement.results);
  const statement = isFirst ? settleFirstSuccesses : settleAny;
  const values = isFirst ? commonValues(settlement) : toValues(settlement);
  const rows = await withStoreErrors(() =>
    repeatConflicts(() => runStatement<{ result: number[] | null }, SettleParameter>(db.$client, statement, values)),
  );
  return { lost: rows[0]?.result ?? [] };
}

/**
 * Stores settlements of which each is for first successes, in one statement. Each counts by itself: what one of them has
 * stored before, it alone does not count again. Throws `STORE_UNAVAILABLE`, and then none or all are stored.
 */
export async function settleTogether(db: Database, settlements: readonly Settlement[]): Promise<void> {
  // In one order, so that two statements for the same deliveries do not wait for one another crosswise.
  const sorted = settlements.toSorted((a, b) => (deliveryOf(a) < deliveryOf(b) ? -1 : 1));
  const calls = sorted.map((settlement) => ({
    ...commonValues(settlement),
    facts: factsOfHandlers(settlement.results),
  }));
  const values = { settlements: JSON.stringify(calls) };
  await withStoreErrors(() => repeatConflicts(() => runStatement(db.$client, settleManyFirstSuccesses, values)));
}

function deliveryOf({ results }: Settlement): string {
  return results[0]?.event.deliveryId ?? "";
}

/** Whether all are successes at the first attempt, for one delivery: then nothing but its row tells of them. */
export function areFirstSuccesses(results: readonly HandlerResult[]): boolean {
  const [first] = results;
  return (
    first !== undefined &&
    results.every(
      ({ outcome, event }) =>
        outcome === "handled" &&
        event.fence === 1 &&
        event.replay === null &&
        event.deliveryId === first.event.deliveryId,
    )
  );
}

/** In the order of their ids, so that two settlements of the same events seldom wait for one another crosswise. */
function inOrder(results: readonly HandlerResult[]): HandlerResult[] {
  return results.toSorted((a, b) => a.event.id - b.event.id);
}

/** All that the statement for first successes takes, which is the one that runs most. */
function commonValues({ results, counts, deployment }: Settlement): Partial<Values<SettleParameter>> {
  const counters = [...counts];
  return {
    ids: inOrder(results).map(({ event }) => event.id),
    countNames: counters.map(([name]) => storableText(name)),
    counts: counters.map(([, count]) => count),
    deliveryId: results[0]?.event.deliveryId ?? null,
    ownMs: results.reduce((sum, { ms }) => sum + ms, 0),
    deployment: deployment === null ? null : storableText(deployment),
    facts: JSON.stringify(factsOfHandlers(results)),
  };
}

function toValues(settlement: Settlement): Partial<Values<SettleParameter>> {
  const { results, messageId } = settlement;
  const sorted = inOrder(results);
  const byDelivery = new Map<string, HandlerResult[]>();
  for (const result of sorted) {
    const ofDelivery = byDelivery.get(result.event.deliveryId);
    if (ofDelivery === undefined) byDelivery.set(result.event.deliveryId, [result]);
    else ofDelivery.push(result);
  }
  return {
    ...commonValues(settlement),
    fences: sorted.map(({ event }) => event.fence),
    outcomes: sorted.map(({ outcome }) => outcome),
    attempts: sorted.map(({ event }) => event.attempt),
    deliveryIds: sorted.map(({ event }) => event.deliveryId),
    startedAts: sorted.map(({ atMs }) => (storableInstant(atMs) ?? new Date(0)).toISOString()),
    durations: sorted.map(({ ms }) => ms),
    retryMs: sorted.map(({ retryInMs }) => Math.round(retryInMs ?? 0)),
    queuedMs: sorted.map(({ queuedForMs }) => (queuedForMs === undefined ? null : Math.round(queuedForMs))),
    errorNames: sorted.map(({ error }) => textOrNull(error?.name)),
    errorCodes: sorted.map(({ error }) => textOrNull(error?.code)),
    errorMessages: sorted.map(({ error }) => textOrNull(error?.message)),
    frames: sorted.map(({ error }) => (error === undefined ? null : error.frames.map(oneLine).join("\n"))),
    fingerprints: sorted.map(({ error }) => error?.fingerprint ?? ""),
    kinds: sorted.map(({ event }) => event.kind),
    replayIds: sorted.map(({ event }) => event.replay?.id ?? null),
    messageId: messageId === null ? null : storableText(messageId),
    measuredIds: [...byDelivery.keys()],
    measuredFacts: [...byDelivery.values()].map((ofDelivery) => JSON.stringify(factsOfHandlers(ofDelivery))),
  };
}

function textOrNull(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : storableText(text);
}

const framesMax = 400;

function oneLine(frame: string): string {
  return frame.replaceAll(/[\0\n]/g, " ").slice(0, framesMax);
}
