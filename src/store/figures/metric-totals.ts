import type { Pool } from "pg";

import { withStoreErrors } from "../connection/store-error.ts";
import { beginWith, transact } from "../connection/transaction.ts";
import { currentGroupsText } from "../dead-letters/current-groups.ts";

/** The sum of all time of one series. It only rises. */
export interface MetricTotal {
  metric: string;
  runtime: string;
  region: string;
  cold: string;
  kind: string;
  label: string;
  count: number;
  /** Null for what is only counted, as is `buckets`. */
  sumMs: number | null;
  /** See src/measurements/bucket-bytes.ts. */
  buckets: Uint8Array | null;
}

/** What is open now. */
export interface OpenTotals {
  /** Events that are not handled, by state; each at most `countMax`. */
  open: number;
  retrying: number;
  dead: number;
  /** Since the oldest event that is open or retrying was ingested; 0 if there is none. */
  oldestSeconds: number;
  /** Dead letters that are not resolved; at most `countMax`. */
  deadLetters: number;
}

/** What operators and maintenance do. */
export interface OperationTotals {
  /** Groups of dead letters by their state. */
  groups: Readonly<Record<string, number>>;
  replays: Readonly<Record<"running" | "stalled", number>>;
  /** How many scopes of each alert rule fire; of a rule that never fired there is none. */
  alerts: Readonly<Record<string, number>>;
  /** Whether ingestion was paused when maintenance or an operator last knew; null if neither ever did. */
  paused: boolean | null;
  /** Since a part of maintenance last ran; null if none ever did. */
  maintenanceSeconds: number | null;
  /** The newest deployments that measured anything, with the time of the first measurement in seconds since the epoch. */
  deployments: readonly { id: string; firstSeconds: number }[];
}

/** Beyond it rows are not counted: in an outage there may be millions, and a scrape has to stay cheap. */
export const countMax = 100_000;

const deploymentsMax = 10;

/** The server's limit for each of the statements. */
const begin = beginWith("begin read only", 1_000);

/** The total of every series, in the order in which the series began. Throws `STORE_UNAVAILABLE`. */
export async function readMetricTotals(db: { $client: Pool }): Promise<MetricTotal[]> {
  return read<MetricTotal>(
    db,
    `select s.metric, s.runtime, s.region, s.cold, s.kind, s.label, f.count, f.sum_ms as "sumMs", f.buckets
     from relay.figures f join relay.measurement_series s on s.id = f.series_id
     where f.tier = 'total' order by s.id`,
  );
}

/** Since when anything is measured, in milliseconds since the epoch; null before. Throws `STORE_UNAVAILABLE`. */
export async function readStartMs(db: { $client: Pool }): Promise<number | null> {
  const text = `select extract(epoch from min(first_at))::float8 * 1000 as "startMs" from relay.measurement_series`;
  const [row] = await read<{ startMs: number | null }>(db, text);
  return row?.startMs ?? null;
}

/** Counts what is open. Throws `STORE_UNAVAILABLE`. */
export async function readOpenTotals(db: { $client: Pool }): Promise<OpenTotals> {
  const rows = await read<OpenTotals>(
    db,
    `select w.*, coalesce(extract(epoch from now() - e.ingested_at), 0)::float8 as "oldestSeconds",
       (select count(*) from (select from relay.dead_letters where resolved_at is null limit ${countMax}) l)::float8 as "deadLetters"
     from (
       select count(*) filter (where state = 'open' and not is_retrying)::float8 as open,
         count(*) filter (where state = 'open' and is_retrying)::float8 as retrying,
         count(*) filter (where state = 'dead')::float8 as dead
       from (select state, first_failed_at is not null or deaths > 0 as is_retrying from relay.event_work limit ${countMax}) n
     ) w
     left join relay.events e on e.id = (select event_id from relay.event_work where state = 'open' order by event_id limit 1)`,
  );
  return rows[0] ?? { open: 0, retrying: 0, dead: 0, oldestSeconds: 0, deadLetters: 0 };
}

/** Reads what operators and maintenance do. Throws `STORE_UNAVAILABLE`. */
export async function readOperationTotals(db: { $client: Pool }): Promise<OperationTotals> {
  const [row] = await read<OperationTotals>(
    db,
    `select
       (select coalesce(json_object_agg(state, n), '{}') from (
         select state, count(*) as n from ${currentGroupsText} c group by 1) g) as groups,
       (select json_build_object('running', count(*) filter (where is_alive), 'stalled', count(*) filter (where not is_alive)) from (
         select heartbeat_at >= now() - interval '2 minutes' as is_alive from relay.replays where state = 'running') r) as replays,
       (select coalesce(json_object_agg(rule, n), '{}') from (
         select rule, count(*) as n from relay.alerts where level > 0 group by rule) a) as alerts,
       (select (result ->> 'paused')::boolean from relay.maintenance_parts where name = 'pause') as paused,
       (select extract(epoch from now() - max(ran_at))::float8 from relay.maintenance_parts where name not like 'diagnosis.%') as "maintenanceSeconds",
       (select coalesce(json_agg(d), '[]') from (
         select deployment as id, extract(epoch from min(first_at))::float8 as "firstSeconds"
         from relay.measurement_series where deployment not in ('', 'other') group by deployment order by 2 desc limit ${deploymentsMax}) d) as deployments`,
  );
  if (row === undefined) throw new Error("No row");
  return row;
}

async function read<Row extends object>({ $client }: { $client: Pool }, text: string): Promise<Row[]> {
  const { rows } = await withStoreErrors(() => transact($client, begin, (client) => client.query<Row>(text)));
  return rows;
}
