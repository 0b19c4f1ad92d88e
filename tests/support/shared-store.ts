import { beforeAll, beforeEach, expect } from "vitest";

import { openDatabase, type OpenDatabase } from "#store/connection/database.ts";

import { createMigratedDatabase } from "./postgres.ts";

/** One database for the tests of a group, each of which finds these tables empty. */
export function openSharedStore(tables: string): () => OpenDatabase {
  let opened: OpenDatabase | undefined;
  beforeAll(async () => {
    const { url, drop } = await createMigratedDatabase();
    const store = openDatabase(url);
    opened = store;
    return async () => {
      await store.close();
      await drop();
    };
  });
  beforeEach(async () => {
    await opened?.pool.query(`truncate ${tables}`);
  });
  return () => opened ?? expect.unreachable();
}
