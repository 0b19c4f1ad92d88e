import type { ClientBase } from "pg";

/** What `ensurePartitions` did. */
export interface EnsuredPartitions {
  /** Names of the partitions that are new. */
  created: string[];
  /** Default partitions that hold rows: ids that are no UUIDs of version 7, or rows of a time without a partition. */
  defaults: string[];
}

/** Something that runs statements one after another: a client, inside a transaction or not, or a pool. */
export type Queryable = Pick<ClientBase, "query">;

/** Ids in one partition of `events`. */
export const eventsPerPartition = 1_000_000;
/** So many partitions of `events` are there beyond the one in use: eight million events until maintenance runs again. */
const eventPartitionsAhead = 8;

const weekMs = 7 * 24 * 60 * 60_000;
/** 1970-01-05, a Monday. */
const mondayMs = 4 * 24 * 60 * 60_000;
const weeksAhead = 2;

/** Rows of a default partition that are moved into a new one: some milliseconds' work. */
const movedRowsMax = 1_000;

/** The key of the advisory lock under which partitions are made; an arbitrary constant. */
const partitionLock = 7_340_119;

/** How a table is divided. Bounds are ids, or milliseconds since the epoch. */
interface Division {
  table: string;
  ranges: (lastEventId: number, nowMs: number) => Range[];
  /** SQL: whether a row is within the range. */
  within: (range: Range) => string;
  /** SQL: the bound above a set of rows. */
  above: string;
  /** SQL of a bound's literal and of the end of the partition's name, for an expression of type bigint. */
  literal: (bound: string) => string;
  suffix: (bound: string) => string;
}

interface Range {
  from: number;
  to: number;
}

const divisions: readonly Division[] = [
  {
    table: "events",
    ranges: (lastEventId) => rangesFrom(lastEventId, eventsPerPartition, 0, eventPartitionsAhead),
    within: ({ from, to }) => `id >= ${from} and id < ${to}`,
    above: "max(id) + 1",
    literal: (bound) => `quote_literal(${bound})`,
    suffix: (bound) => `lpad((${bound})::text, 13, '0')`,
  },
  {
    table: "deliveries",
    ranges: weeks,
    within: ({ from, to }) => `id >= '${uuidFrom(from)}' and id < '${uuidFrom(to)}'`,
    above: "max(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint) + 1",
    // The first 48 bits of a UUID of version 7 are its time in milliseconds (RFC 9562, section 5.7).
    literal: (bound) => `quote_literal(rpad(lpad(to_hex(${bound}), 12, '0'), 32, '0')::uuid)`,
    suffix: timeSuffix,
  },
  ...["delivery_attempts", "handler_attempts"].map((table) => ({
    table,
    ranges: weeks,
    within: ({ from, to }: Range) => `at >= ${instantOf(from)} and at < ${instantOf(to)}`,
    above: "(extract(epoch from max(at)) * 1000)::bigint + 1",
    literal: (bound: string) => `quote_literal(${instantOf(bound)})`,
    suffix: timeSuffix,
  })),
];

/** The tables that are partitioned. */
export const partitionedTables = divisions.map(({ table }) => table);

/**
 * Makes the partitions that are missing for now and the time ahead, and the default partition of each table. Safe to call
 * from several processes at once, inside a transaction or outside. A default partition may already have rows of a range:
 * among the ids of earlier releases, which are random, some look like those of any week. A few are moved into the range's
 * partition; above many it begins behind them, because moving them would lock the table for long. Waits at most 2 s for a lock and
 * then rejects with the driver's error, as for any other.
 */
export async function ensurePartitions(client: Queryable, nowMs: number): Promise<EnsuredPartitions> {
  const before = new Set(await readPartitions(client));
  const { rows } = await client.query<{ last: string }>("select last_value::text as last from relay.event_ids");
  const lastEventId = Number(rows[0]?.last ?? 0);
  for (const division of divisions) {
    await client.query(ensureDefault(division));
    for (const range of division.ranges(lastEventId, nowMs)) await client.query(ensureRange(division, range));
  }
  const after = await readPartitions(client);
  const defaults: string[] = [];
  for (const table of partitionedTables)
    if (await hasRows(client, `${table}_default`)) defaults.push(`${table}_default`);
  return { created: after.filter((name) => !before.has(name)), defaults };
}

/** Names of all partitions, in their order. */
export async function readPartitions(client: Queryable): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(`select c.relname as name
    from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
    where p.relnamespace = 'relay'::regnamespace and p.relkind = 'p' and c.relkind = 'r' order by 1`);
  return rows.map(({ name }) => name);
}

/** Where a partition begins, by its name: an id, or milliseconds since the epoch; null for a default partition. */
export function partitionStart(name: string): number | null {
  const [, digits, time] = /_(\d{8,})(?:t(\d{9}))?$/.exec(name) ?? [];
  if (digits === undefined) return null;
  if (digits.length > 8) return Number(digits);
  const [year, month, day] = [digits.slice(0, 4), digits.slice(4, 6), digits.slice(6)].map(Number);
  const [h, m, s, ms] = [time?.slice(0, 2), time?.slice(2, 4), time?.slice(4, 6), time?.slice(6)].map((n) =>
    Number(n ?? 0),
  );
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, h, m, s, ms);
}

/** Where a partition of one week ends, in milliseconds since the epoch; null for a default partition. */
export function partitionEnd(name: string): number | null {
  const start = partitionStart(name);
  return start === null ? null : (Math.floor((start - mondayMs) / weekMs) + 1) * weekMs + mondayMs;
}

async function hasRows(client: Queryable, table: string): Promise<boolean> {
  const { rows } = await client.query<{ has: boolean }>(`select exists (select from relay.${table}) as has`);
  return rows[0]?.has === true;
}

function ensureDefault({ table }: Division): string {
  return `do $do$ begin
    perform pg_advisory_xact_lock(${partitionLock});
    if to_regclass('relay.${table}_default') is null then
      create table relay.${table}_default partition of relay.${table} default;
    end if;
  end $do$`;
}

/** Attaching locks the parent less than `create table … partition of`: inserts go on. */
function ensureRange(division: Division, range: Range): string {
  const { table, above, literal, suffix } = division;
  const within = division.within(range);
  const ofRange = `relnamespace = 'relay'::regnamespace
    and relname >= '${table}_' || ${suffix(String(range.from))} and relname < '${table}_' || ${suffix(String(range.to))}`;
  return `do $do$
  declare
    lower bigint := ${range.from};
    isMany boolean;
  begin
    if exists (select from pg_class where ${ofRange}) then return; end if;
    perform pg_advisory_xact_lock(${partitionLock});
    if exists (select from pg_class where ${ofRange}) then return; end if;
    set local lock_timeout = 2000;
    lock table relay.${table}_default in share row exclusive mode;
    select count(*) > ${movedRowsMax} into isMany
      from (select from relay.${table}_default where ${within} limit ${movedRowsMax + 1}) r;
    if isMany then select ${above} into lower from relay.${table}_default where ${within}; end if;
    if lower >= ${range.to} then return; end if;
    execute format('create table relay.%I (like relay.${table} including all)', '${table}_' || ${suffix("lower")});
    if not isMany then
      execute format('with moved as (delete from relay.${table}_default where %s returning *) insert into relay.%I select * from moved',
        $sql$${within}$sql$, '${table}_' || ${suffix("lower")});
    end if;
    execute format('alter table relay.${table} attach partition relay.%I for values from (%s) to (%s)',
      '${table}_' || ${suffix("lower")}, ${literal("lower")}, ${literal(String(range.to))});
  end $do$`;
}

function rangesFrom(position: number, size: number, origin: number, ahead: number): Range[] {
  const first = Math.floor((position - origin) / size);
  return Array.from({ length: ahead + 1 }, (_, index) => ({
    from: origin + (first + index) * size,
    to: origin + (first + index + 1) * size,
  }));
}

function weeks(_lastEventId: number, nowMs: number): Range[] {
  // The week before, too, for what was received or tried in the minutes before it ended.
  return rangesFrom(nowMs - weekMs, weekMs, mondayMs, weeksAhead + 1);
}

function timeSuffix(bound: string): string {
  const at = `${instantOf(bound)} at time zone 'UTC'`;
  return `replace(to_char(${at}, 'YYYYMMDD"t"HH24MISSMS'), 't000000000', '')`;
}

function instantOf(bound: number | string): string {
  return `(timestamptz 'epoch' + ${bound} * interval '1 millisecond')`;
}

function uuidFrom(ms: number): string {
  return ms.toString(16).padStart(12, "0").padEnd(32, "0");
}
