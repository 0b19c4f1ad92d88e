import { indexNames } from "../index-names.ts";
import { migrationNames } from "../migration-names.ts";
import type { Queryable } from "../retention/partitions.ts";

/** What is wrong with the database, in whole sentences. */
export interface StoreFault {
  /** In a few words. */
  detail: string;
  cause: string;
  remedy: string;
  /** Whether nothing can be stored: what is missing may concern something else. */
  isDown: boolean;
}

const namedMax = 3;

/** Without a right on one of these no batch is stored or settled. */
const storing = new Set([
  "event_keys",
  "event_ids",
  "events",
  "event_work",
  "deliveries",
  "delivery_batches",
  "duplicate_events",
  "measurements",
  "handler_attempts",
  "handler_count_increments",
  "erased_people",
  "unsent_messages",
  "ingest()",
  "settle()",
  "settle_first_successes()",
  "mark_handled()",
]);

interface Found {
  isReadOnly: boolean;
  /** Null without the schema. */
  mayUse: boolean | null;
  hasJournal: boolean;
  hasFunctions: boolean;
  /** Tables, sequences and functions that the role cannot use as the relay does. */
  lacking: string[];
  /** Indexes that can be used. */
  indexes: string[];
}

/** By the catalog: a statement that names what is missing would fail. */
const readRights = `select
    pg_is_in_recovery() or current_setting('default_transaction_read_only')::boolean as "isReadOnly",
    has_schema_privilege(n.oid, 'usage') as "mayUse",
    exists (select from pg_class where relnamespace = n.oid and relname = 'migrations') as "hasJournal",
    (select count(distinct proname) from pg_proc where pronamespace = n.oid and proname in ('ingest', 'settle')) = 2 as "hasFunctions",
    array(
      -- By "case", because the server may ask first whether any other relation is a sequence, which is an error.
      select relname::text from pg_class
      where relnamespace = n.oid and not relispartition and relname <> 'migrations' and case
        when relkind in ('r', 'p') then not (has_table_privilege(oid, 'select') and has_table_privilege(oid, 'insert')
          and has_table_privilege(oid, 'update') and has_table_privilege(oid, 'delete'))
        when relkind = 'S' then not has_sequence_privilege(oid, 'usage')
        else false end
      union all
      select proname || '()' from pg_proc
      where pronamespace = n.oid and prorettype <> 'trigger'::regtype and not has_function_privilege(oid, 'execute')
      order by 1
    ) as lacking,
    array(select relname::text from pg_index join pg_class on oid = indexrelid where relnamespace = n.oid and indisvalid) as indexes
  from (select) one left join pg_namespace n on n.nspname = 'relay'`;

/**
 * What keeps the relay from storing, or from reading in time, as far as it can be seen without writing: a read-only server, a
 * right that the role lacks, migrations that have not run, an index that is gone. Null if nothing does. Rejects with the driver's error.
 */
export async function findStoreFault(client: Queryable): Promise<StoreFault | null> {
  const { rows } = await client.query<Found>(readRights);
  const [found] = rows;
  if (found === undefined) throw new Error("No row");
  if (found.isReadOnly) {
    const cause = "Postgres accepts no writes: it is a standby, or default_transaction_read_only is on.";
    const remedy = "Set DATABASE_URL to the primary, or let the server accept writes again.";
    return { detail: "read-only", cause, remedy, isDown: true };
  }
  if (found.mayUse === false) return lacks(["the schema relay"], true);
  if (found.lacking.length > 0) {
    const isDown = found.lacking.some((name) => storing.has(name));
    return lacks(
      found.lacking.map((name) => `relay.${name}`),
      isDown,
    );
  }
  return (await findMissing(client, found)) ?? findMissingIndex(found);
}

async function findMissing(client: Queryable, { hasJournal, hasFunctions }: Found): Promise<StoreFault | null> {
  const remedy = "Run npm run relay -- migrate with this DATABASE_URL.";
  if (!hasJournal) return { detail: "missing", cause: "No migration has run in this database.", remedy, isDown: true };
  const { rows } = await client.query<{ name: string }>("select name from relay.migrations");
  const done = new Set(rows.map(({ name }) => name));
  const missing = migrationNames.filter((name) => !done.has(name));
  if (missing.length === 0 && hasFunctions) return null;
  if (missing.length === 0) {
    const cause = "The functions relay.ingest and relay.settle, which store, are not there.";
    return { detail: "damaged", cause, remedy: "Restore them from a backup.", isDown: true };
  }
  const cause = `Migrations have not run in this database: ${missing.join(", ")}.`;
  return { detail: "behind", cause, remedy, isDown: !hasFunctions };
}

function findMissingIndex({ indexes }: Found): StoreFault | null {
  const missing = indexNames.filter((name) => !indexes.includes(name));
  if (missing.length === 0) return null;
  const names = named(missing.map((name) => `relay.${name}`));
  const cause = `Indexes are missing or not valid: ${names}. What needs them takes too long, or fails.`;
  const remedy = "Create them again with the statements in src/store/migrations.";
  return { detail: "without an index", cause, remedy, isDown: false };
}

function named(names: readonly string[]): string {
  const others = names.length - namedMax;
  return `${names.slice(0, namedMax).join(", ")}${others > 0 ? ` and ${others} more` : ""}`;
}

function lacks(names: readonly string[], isDown: boolean): StoreFault {
  const cause = `The role of DATABASE_URL lacks rights on ${named(names)}.`;
  const remedy = "Grant it what docs/OPERATIONS.md names under The database.";
  return { detail: "without a right", cause, remedy, isDown };
}
