import { migrate as migrateBroker } from "#broker/store/schema.ts";
import { openDatabase as openBrokerDatabase } from "#broker/store/database.ts";
import { migrateStore } from "#store/migrate.ts";

import { migrateBefore } from "../bench/before/migrate-before.ts";
import { createDatabase } from "./database.ts";

/** The schemas of which a run has a migrated, empty database; `before` is that of the release before the schema `relay`. */
export type TemplateSchema = keyof typeof migrations;

/** The name of each one's database. */
export type Templates = Record<TemplateSchema, string>;

const migrations = {
  store: (url: string) => migrateStore(url),
  broker: migrateBrokerAt,
  before: migrateBefore,
};

/** Makes them on a server, by a superuser's address. A copy takes a tenth of the time that the migrations take. */
export async function createTemplates(serverUrl: string): Promise<{ templates: Templates; drop(): Promise<void> }> {
  const create = async (schema: TemplateSchema) => {
    const database = await createDatabase(serverUrl, `template_${schema}`);
    await migrations[schema](database.url);
    return database;
  };
  const [store, broker, before] = await Promise.all([create("store"), create("broker"), create("before")]);
  const nameOf = ({ url }: { url: string }) => new URL(url).pathname.slice(1);
  return {
    templates: { store: nameOf(store), broker: nameOf(broker), before: nameOf(before) },
    drop: async () => {
      for (const { drop } of [store, broker, before]) await drop();
    },
  };
}

async function migrateBrokerAt(url: string): Promise<void> {
  const pool = openBrokerDatabase(url, () => {});
  try {
    await migrateBroker(pool);
  } finally {
    await pool.end();
  }
}
