import { randomBytes } from "node:crypto";

import type { Client } from "pg";
import { onTestFinished } from "vitest";

/**
 * A role that may use the tables of a migrated database and create nothing, as docs/OPERATIONS.md grants it; gone when
 * the test ends. Returns the database's address with this role's login.
 */
export async function createRestrictedRole(client: Client, url: string): Promise<string> {
  const role = `relay_app_${randomBytes(4).toString("hex")}`;
  const password = randomBytes(8).toString("hex");
  await client.query(`
    create role ${role} login password '${password}';
    revoke create on schema public from public;
    grant usage on schema relay to ${role};
    grant select, insert, update, delete on all tables in schema relay to ${role};
    grant usage, select on all sequences in schema relay to ${role}`);
  onTestFinished(async () => {
    await client.query(`drop owned by ${role}; drop role ${role}`);
  });
  const restricted = new URL(url);
  restricted.username = role;
  restricted.password = password;
  return restricted.href;
}
