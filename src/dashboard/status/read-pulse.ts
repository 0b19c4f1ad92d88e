import { sql, type SQL } from "drizzle-orm";

import type { Clock } from "#platform/clock.ts";
import type { Database } from "#store/connection/database.ts";
import { currentGroups } from "#store/dead-letters/current-groups.ts";

import { createSharedReads } from "../lists/share-reads.ts";
import { type PulseList, pulseLists, type PulseMarks } from "./pulse-query.ts";
import type { Status } from "./status.ts";

/** Whether something needs a person now (`failing`), soon (`attention`), or not. */
export type PulseStatus = Status["status"];

/** What an open page asks for again and again, so that it reads its rows only when they have changed. */
export interface Pulse {
  asOf: string;
  status: PulseStatus;
  /** For each list a version, which differs once its newest page or its unfinished rows would. */
  changed: Record<PulseList, string>;
  /** How many rows came after the mark of a list, 1,000 at most; null without a mark. */
  new: Record<PulseList, number | null>;
}

export interface PulseOptions {
  openReads: () => Database;
  readStatus: () => Promise<PulseStatus>;
  clock: Pick<Clock, "nowMs" | "monotonicMs">;
}

/** Open pages share an answer for so long. */
const sharedMs = 2_000;
/** The status takes ten statements, and what it judges by is older than that. */
const statusSharedMs = 15_000;
const newMax = 1_000;
/** The largest page of a list. */
const rowsOfPage = 200;

/**
 * The pulse of one process: two statements in two seconds at most, however many pages are open on the same lists, and the
 * status' in fifteen. Each uses an index or is bounded.
 */
export function createPulse({ openReads, readStatus, clock }: PulseOptions): (marks: PulseMarks) => Promise<Pulse> {
  const shareState = createSharedReads<Omit<Pulse, "new">>(sharedMs, clock);
  const shareCounts = createSharedReads<Pulse["new"]>(sharedMs, clock);
  const shareStatus = createSharedReads<PulseStatus>(statusSharedMs, clock);
  const readState = async () => {
    const [changed, status] = await Promise.all([readVersions(openReads()), shareStatus("", readStatus)]);
    return { asOf: new Date(clock.nowMs()).toISOString(), status, changed };
  };
  return async (marks) => {
    const [state, counts] = await Promise.all([
      shareState("", readState),
      shareCounts(JSON.stringify(marks), () => readNew(openReads(), marks)),
    ]);
    return { ...state, new: counts };
  };
}

async function readVersions(db: Database): Promise<Pulse["changed"]> {
  const { rows } = await db.execute<Pulse["changed"]>(sql`
    select ${sql.join(
      pulseLists.map((list) => sql`md5(coalesce(${versions[list]}, '')) as ${sql.identifier(list)}`),
      sql`, `,
    )}
  `);
  const [changed] = rows;
  if (changed === undefined) throw new Error("A query without a table has one row");
  return changed;
}

/** Of unfinished events so many are looked at; there are few, unless handlers fail. */
const workMax = 10_000;

const versions: Record<PulseList, SQL> = {
  // Leases and results raise `fence`, and an event that is handled is gone from the table of open work.
  events: sql`concat_ws('|', (
      select string_agg(concat(id, erased_at), ',' order by id)
      from (select id, erased_at from relay.events order by id desc limit ${rowsOfPage}) e
    ), (
      select concat_ws(',', count(*), sum(fence), sum(deaths), count(*) filter (where state = 'dead'))
      from (select fence, deaths, state from relay.event_work limit ${workMax}) w
    ))`,
  deliveries: sql`(
      select string_agg(concat_ws(' ', id, outcome, ack_ms, ingested_at, handled_at), ',' order by received_at, id)
      from (
        select id, received_at, outcome, ack_ms, ingested_at, handled_at
        from relay.deliveries
        where not probe
        order by received_at desc, id desc
        limit ${rowsOfPage}
      ) d
    )`,
  deadLetters: sql`concat_ws('|', (select max(id) from relay.dead_letters), (
      select concat_ws(',', count(*), sum(id))
      from (select id from relay.dead_letters where resolved_at is null order by id limit ${workMax}) l
    ), (
      select string_agg(concat_ws(' ', id, state, changed_at, regressed_at), ',' order by id) from ${currentGroups} g
    ))`,
  replays: sql`(
      select string_agg(concat_ws(' ', id, state, cursor, done, failed, skipped), ',' order by created_at, id)
      from (select * from relay.replays order by created_at desc, id desc limit ${rowsOfPage}) r
    )`,
  alerts: sql`(
      select string_agg(concat_ws(' ', rule, scope, level, bad_since, acknowledged_at, muted_until, notice_id,
        (select string_agg(concat(n.state, n.attempts), ',' order by n.address) from relay.alert_notices n where n.id = notice_id)),
        ',' order by rule, scope)
      from (select * from relay.alerts order by changed_at desc limit ${rowsOfPage}) a
    )`,
  audit: sql`(
      select string_agg(concat_ws(' ', id, result), ',' order by id)
      from (select id, result from relay.audit order by id desc limit ${rowsOfPage}) a
    )`,
};

async function readNew(db: Database, marks: PulseMarks): Promise<Pulse["new"]> {
  const after = newRows(marks);
  const given = pulseLists.filter((list) => after[list] !== undefined);
  const unknown = Object.fromEntries(pulseLists.map((list) => [list, null])) as Pulse["new"];
  if (given.length === 0) return unknown;
  const { rows } = await db.execute<Partial<Pulse["new"]>>(sql`
    select ${sql.join(
      given.map(
        (list) => sql`(select count(*)::int from (${after[list]} limit ${newMax}) n) as ${sql.identifier(list)}`,
      ),
      sql`, `,
    )}
  `);
  return { ...unknown, ...rows[0] };
}

/** Dead letters and replays are few and have no index by time: their newest are looked at. */
function newRows(marks: PulseMarks): Partial<Record<PulseList, SQL>> {
  const { events, deliveries, deadLetters, replays, alerts, audit } = marks;
  const found: Partial<Record<PulseList, SQL>> = {};
  if (events !== undefined) found.events = sql`select from relay.events where id > ${events}`;
  if (deliveries !== undefined) {
    found.deliveries = sql`select from relay.deliveries where received_at > ${iso(deliveries)} and not probe`;
  }
  if (deadLetters !== undefined) {
    found.deadLetters = sql`
      select from (select recorded_at from relay.dead_letters order by id desc limit ${newMax}) l
      where recorded_at > ${iso(deadLetters)}`;
  }
  if (replays !== undefined) found.replays = sql`select from relay.replays where created_at > ${iso(replays)}`;
  if (alerts !== undefined) found.alerts = sql`select from relay.alerts where changed_at > ${iso(alerts)}`;
  if (audit !== undefined) found.audit = sql`select from relay.audit where id > ${audit}`;
  return found;
}

function iso(at: Date): SQL {
  return sql`${at.toISOString()}::timestamptz`;
}
