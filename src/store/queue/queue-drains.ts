// Who drains the queues: leases by Postgres's clock, so that many wakes make few drains, and none is lost.
import { randomUUID } from "node:crypto";

import type { Database } from "../connection/database.ts";
import { defineStatement, runStatement } from "../connection/named-statement.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { partsOfAll, removeText } from "./queue-messages.ts";
import {
  nextDueText,
  takingParameters,
  type TakenMessage,
  type TakenRow,
  takingText,
  toTaken,
} from "./take-messages.ts";

/** Drains that take messages at the same time, over all processes: the second takes over when the first has died. */
export const drainsMax = 2;

export interface Drain {
  slot: number;
  leaseId: string;
  /** Whether batches are held back. */
  paused: boolean;
}

const parameters = {
  ...takingParameters,
  slot: "smallint",
  leaseMs: "integer",
  untilMs: "integer",
  isSure: "boolean",
} as const;
type Name = keyof typeof parameters;

const lease = "leased_until = now() + :leaseMs * interval '1 millisecond'";
const isFree = "(leased_until is null or leased_until <= now())";
const paused = "exists (select from relay.queue_pause) as paused";

/**
 * In how many milliseconds a look is due: a message is, which no drain holds, or the lease of a drain ends that was asked to
 * look and has not done so. One that is alive looks long before.
 */
const dueText = `select least((${nextDueText}), (select extract(epoch from min(leased_until) - now())::float8 * 1000
  from relay.queue_drains where slot > 0 and wanted))`;

/** Its messages are taken with the right, where it is got: what was committed before is found. */
const begin = defineStatement<Name>(
  `with begun as (
    update relay.queue_drains set lease_id = :leaseId, ${lease}, wanted = false
    where slot = (select slot from relay.queue_drains where slot > 0 and ${isFree} order by slot limit 1 for update skip locked)
    returning slot, ${paused}
  ), ${takingText("exists (select from begun)")}
  select begun.slot, begun.paused, taken.* from begun left join taken on true`,
  parameters,
);
/** Nothing is written if the first drain knows already: it has not looked since then, or has begun to look after it. */
const want = defineStatement<Name>(
  `with marked as (
    update relay.queue_drains set wanted = true where slot = 1 and (not wanted or ${isFree}) returning ${isFree} as free
  )
  select coalesce((select free from marked), false) as "isFree", exists (select from relay.queue_drains) as "hasRows"`,
  parameters,
);
const keep = defineStatement<Name>(
  `update relay.queue_drains set ${lease}, wanted = false where slot = :slot and lease_id = :leaseId returning slot, ${paused}`,
  parameters,
);
const end = defineStatement<Name>(
  `with removed as (${removeText}), ended as (
    update relay.queue_drains set lease_id = null, leased_until = null
    where slot = :slot and lease_id = :leaseId and not wanted returning slot
  )
  select (${dueText}) as "dueInMs" from ended`,
  parameters,
);
const rows = defineStatement<Name>(
  `insert into relay.queue_drains (slot) select generate_series(0, ${drainsMax}) on conflict do nothing`,
  parameters,
);

/** A wake and the end of a drain may meet a few times in a row. */
const beginAttempts = 5;

/** What a drain takes as it begins; no more than it has places for. */
export interface FirstTaking {
  countMax: number;
  leaseMs: number;
}

export interface BegunDrain extends Drain {
  messages: TakenMessage[];
}

/**
 * Begins a drain. Null if enough run: then one of them looks once more before it ends, and what was committed before this
 * call is found. Throws `STORE_UNAVAILABLE`.
 */
export async function beginDrain(
  db: Database,
  leaseMs: number,
  first: FirstTaking = { countMax: 0, leaseMs },
): Promise<BegunDrain | null> {
  const taking = { countMax: first.countMax, messageLeaseMs: Math.ceil(first.leaseMs) };
  for (let attempt = 1; attempt <= beginAttempts; attempt += 1) {
    const leaseId = randomUUID();
    const begun = await run<BegunRow>(db, begin, { leaseId, leaseMs, ...taking });
    const [drain] = begun;
    if (drain !== undefined) {
      const messages = begun.filter((row): row is TakenRow & BegunRow => row.id !== null);
      return {
        slot: drain.slot,
        paused: drain.paused,
        leaseId,
        messages: messages.map((row) => toTaken(row, leaseId)),
      };
    }
    const [wanted] = await run<{ isFree: boolean; hasRows: boolean }>(db, want, {});
    if (wanted?.hasRows === false) await run(db, rows, {});
    else if (wanted?.isFree !== true) return null;
  }
  return null;
}

type BegunRow = { slot: number; paused: boolean } & ({ id: null } | TakenRow);

/**
 * Keeps a drain's lease; what is committed before is found by what it takes afterwards. Null if the lease was lost, as after
 * a freeze of the process. Throws `STORE_UNAVAILABLE`.
 */
export async function keepDrain(db: Database, { slot, leaseId }: Drain, leaseMs: number): Promise<Drain | null> {
  const [kept] = await run<{ slot: number; paused: boolean }>(db, keep, { slot, leaseId, leaseMs });
  return kept === undefined ? null : { ...kept, leaseId };
}

/**
 * Ends a drain, unless something has come since it last looked: then null. Otherwise with when a next look is due.
 * `dealtWith`: receipts of messages, which are deleted in either case. Throws `STORE_UNAVAILABLE`.
 */
export async function endDrain(
  db: Database,
  { slot, leaseId }: Drain,
  dealtWith: readonly string[] = [],
): Promise<{ dueInMs: number | null } | null> {
  const values = { slot, leaseId, ...partsOfAll(dealtWith) };
  return (await run<{ dueInMs: number | null }>(db, end, values))[0] ?? null;
}

/** By so much a wait must last longer than the one under way to take its place. */
const takeoverMs = 5_000;

const beginWait = defineStatement<Name>(
  `update relay.queue_drains set lease_id = :leaseId, leased_until = now() + :untilMs * interval '1 millisecond'
  where slot = 0 and (leased_until is null or leased_until < now() + (:untilMs - ${takeoverMs}) * interval '1 millisecond')
    and (:isSure or (${dueText}) < :untilMs)
  returning slot`,
  parameters,
);
const look = defineStatement<Name>(
  `select (${dueText}) as "dueInMs" from relay.queue_drains where slot = 0 and lease_id = :leaseId`,
  parameters,
);
const endWait = defineStatement<Name>(
  "update relay.queue_drains set lease_id = null, leased_until = null where slot = 0 and lease_id = :leaseId",
  parameters,
);

/**
 * Becomes the one process that waits for messages to become due, for `untilMs`; null while another waits that has about as
 * much time. The one that began last has the most, so it takes over. Null also if nothing is due within the time, unless the
 * caller `isSure` that something may come. Throws `STORE_UNAVAILABLE`.
 */
export async function beginWaiting(db: Database, untilMs: number, isSure = false): Promise<string | null> {
  const leaseId = randomUUID();
  const begun = await run(db, beginWait, { leaseId, untilMs: Math.ceil(untilMs), isSure });
  return begun.length === 0 ? null : leaseId;
}

/**
 * In how many milliseconds a look is due, for a message that no drain holds or in the place of a drain that died; null without
 * either, undefined if another waits by now. Throws `STORE_UNAVAILABLE`.
 */
export async function lookWhileWaiting(db: Database, leaseId: string): Promise<number | null | undefined> {
  const [found] = await run<{ dueInMs: number | null }>(db, look, { leaseId });
  return found === undefined ? undefined : found.dueInMs;
}

/** Throws `STORE_UNAVAILABLE`. */
export async function endWaiting(db: Database, leaseId: string): Promise<void> {
  await run(db, endWait, { leaseId });
}

async function run<Row extends object>(
  db: Database,
  statement: typeof begin,
  values: Partial<Record<Name, unknown>>,
): Promise<Row[]> {
  return withStoreErrors(() => runStatement<Row & Record<string, unknown>, Name>(db.$client, statement, values));
}
