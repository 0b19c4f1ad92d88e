import { is } from "drizzle-orm";
import { getTableConfig, PgTable } from "drizzle-orm/pg-core";
import { expect, test } from "vitest";

import * as alertsSchema from "#store/schema/alerts-schema.ts";
import * as auditSchema from "#store/schema/audit-schema.ts";
import * as deliverySchema from "#store/schema/delivery-schema.ts";
import * as eventSchema from "#store/schema/event-schema.ts";
import * as figuresSchema from "#store/schema/figures-schema.ts";
import * as lifecycleSchema from "#store/schema/lifecycle-schema.ts";
import * as measurementsSchema from "#store/schema/measurements-schema.ts";
import * as operationsSchema from "#store/schema/operations-schema.ts";
import * as privacySchema from "#store/schema/privacy-schema.ts";
import * as queueSchema from "#store/schema/queue-schema.ts";
import { findStoreFault } from "#store/connection/find-store-fault.ts";
import { indexNames } from "#store/index-names.ts";

import { openTestStore } from "../support/store.ts";

const modules = [
  alertsSchema,
  auditSchema,
  deliverySchema,
  eventSchema,
  figuresSchema,
  lifecycleSchema,
  measurementsSchema,
  operationsSchema,
  privacySchema,
  queueSchema,
];
const tables = modules.flatMap((module) => Object.values(module).filter((value) => is(value, PgTable)));

test("the tables in the code are those of the database, column by column", async () => {
  const { pool } = await openTestStore();
  const { rows } = await pool.query<{ table: string; name: string; type: string; required: boolean }>(
    `select c.relname as table, a.attname as name, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as required
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = 'relay'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      and a.attnum > 0 and not a.attisdropped
    order by 1, 2`,
  );
  const declared = tables
    .flatMap((table) => {
      const { name, schema, columns } = getTableConfig(table);
      expect(schema).toBe("relay");
      return columns.map((column) => ({
        table: name,
        name: column.name,
        type: column
          .getSQLType()
          .replace(/^timestamp( ?\(\d\)) /, (_, precision: string) => `timestamp${precision.trim()} `),
        required: column.notNull || column.primary,
      }));
    })
    .toSorted((a, b) => (`${a.table} ${a.name}` < `${b.table} ${b.name}` ? -1 : 1));
  const known = new Set(declared.map(({ table }) => table));
  const actual = rows
    .filter(({ table }) => known.has(table))
    .map((row) => ({
      ...row,
      type: row.type === "timestamp with time zone" ? "timestamp(6) with time zone" : row.type,
    }))
    .toSorted((a, b) => (`${a.table} ${a.name}` < `${b.table} ${b.name}` ? -1 : 1));
  expect(declared).toEqual(actual);
  const others = new Set(rows.map(({ table }) => table).filter((table) => !known.has(table)));
  // The migrator's journal.
  expect([...others]).toEqual(["migrations"]);
});

test("the indexes in the code are those of the database, and one that is gone is named", async () => {
  const { pool } = await openTestStore();
  const { rows } = await pool.query<{ name: string }>(
    `select relname::text as name from pg_index join pg_class on oid = indexrelid
    where relnamespace = 'relay'::regnamespace and not relispartition order by relname collate "C"`,
  );
  expect(indexNames).toEqual(rows.map(({ name }) => name));
  expect(await findStoreFault(pool)).toBeNull();
  await pool.query("drop index relay.events_kind");
  expect(await findStoreFault(pool)).toMatchObject({
    isDown: false,
    cause: expect.stringContaining(" relay.events_kind.") as unknown,
  });
});
