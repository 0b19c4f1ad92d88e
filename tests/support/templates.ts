import { migrate as migrateBroker } from "#broker/store/schema.ts";
import { openDatabase as openBrokerDatabase } from "#broker/store/database.ts";
import { migrateStore } from "#store/migrate.ts";

import { migrateBefore } from "../bench/before/migrate-before.ts";
import { createDatabase, type TestDatabase } from "./database.ts";
import { readTemplateState, type TemplateState } from "./reusable-database.ts";

/** The schemas of which a run has a migrated, empty database; `before` is that of the release before the schema `relay`. */
export type TemplateSchema = keyof typeof migrations;

/** A migrated, empty database that is copied. */
export interface Template extends TemplateState {
  name: string;
}

export type Templates = Record<TemplateSchema, Template>;

const migrations = {
  store: (url: string) => migrateStore(url),
  broker: migrateBrokerAt,
  before: migrateBefore,
};

/** Makes them on a server, by a superuser's address. A copy takes a tenth of the time that the migrations take. */
export async function createTemplates(serverUrl: string): Promise<{ templates: Templates; drop(): Promise<void> }> {
  const databases: TestDatabase[] = [];
  const create = async (schema: TemplateSchema): Promise<Template> => {
    const database = await createDatabase(serverUrl, `template_${schema}`);
    databases.push(database);
    await migrations[schema](database.url);
    return { name: new URL(database.url).pathname.slice(1), ...(await readTemplateState(database.url)) };
  };
  const [store, broker, before] = await Promise.all([create("store"), create("broker"), create("before")]);
  const drop = async () => void (await Promise.all(databases.map((database) => database.drop())));
  return { templates: { store, broker, before }, drop };
}

async function migrateBrokerAt(url: string): Promise<void> {
  const pool = openBrokerDatabase(url, () => {});
  try {
    await migrateBroker(pool);
  } finally {
    await pool.end();
  }
}
