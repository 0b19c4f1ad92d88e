/** Each route of operators with each role and method: who gets in, and what leaves a row in the audit. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, expect, test } from "vitest";

import { openDatabase, type OpenDatabase } from "#store/connection/database.ts";

import { createMigratedDatabase } from "../support/postgres.ts";

const api = fileURLToPath(new URL("../../app/api", import.meta.url));
const routes = ["ops", "diagnostics"].flatMap((folder) =>
  readdirSync(`${api}/${folder}`, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith("route.ts") && !file.endsWith("ops-route.ts"))
    .map((file) => `${folder}/${file}`),
);
const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;
/** What a reader may change: what is its own. */
const ofReaders = new Set(["ops/sessions/end/route.ts POST"]);

type Route = (request: Request, context: { params: Promise<Record<string, string>> }) => Promise<Response>;

const tokenOf = (role: string) => `a-token-of-the-role-${role}`.padEnd(40, "-");
const env = {
  OPS_TOKEN: "ops".padEnd(40, "-"),
  OPS_TOKENS: ["admin", "read", "metrics"].map((role) => `a-${role}:${role}:${tokenOf(role)}`).join(),
  RELAY_URL: "http://127.0.0.1:1",
  LOG_LEVEL: "error",
};
const before = { ...process.env };
let store: OpenDatabase;
let drop: () => Promise<void>;

beforeAll(async () => {
  const database = await createMigratedDatabase();
  Object.assign(process.env, env, { DATABASE_URL: database.url });
  store = openDatabase(database.url);
  drop = () => database.drop();
});

afterAll(async () => {
  const { getDatabase, getReads } = await import("../../app/database.ts");
  await Promise.all([getDatabase().$client.end(), getReads().$client.end(), store.close()]);
  await drop();
  for (const name of Object.keys({ ...env, DATABASE_URL: "" })) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
});

/** Unknown parameters and members are refused, so that nothing happens, even for an admin. */
async function ask(file: string, method: (typeof methods)[number], role: string | null): Promise<number> {
  const route = (await import(`${api}/${file}`)) as Record<string, Route>;
  const headers: Record<string, string> = role === null ? {} : { authorization: `Bearer ${tokenOf(role)}` };
  const body = method === "GET" ? {} : { body: '{"nothing":1}' };
  const path = file.replace(/\/route\.ts$/, "");
  const params = Object.fromEntries([...path.matchAll(/\[(\w+)\]/g)].map(([, name = ""]) => [name, "0"]));
  const request = new Request(`${env.RELAY_URL}/api/${path}?nothing=1`, { method, headers, ...body });
  const response = await route[method]?.(request, { params: Promise.resolve(params) });
  return response?.status ?? 405;
}

async function takeRows(): Promise<string[]> {
  const { rows } = await store.pool.query<{ row: string }>(
    "delete from relay.audit returning concat_ws(' ', actor, via, result) as row",
  );
  return rows.map(({ row }) => row);
}

test("there are routes", () => {
  expect(routes.length).toBeGreaterThan(25);
});

test.each(routes)("%s: a token for it, the role that it needs, and a row of each change", async (file) => {
  const seen: Record<string, unknown> = {};
  const expected: Record<string, unknown> = {};
  for (const method of methods) {
    const name = `${file} ${method}`;
    const admin = await ask(file, method, "admin");
    const isAudited = (await takeRows()).length === 1;
    if (admin === 405) continue;
    const isChange = method !== "GET";
    const statuses = { none: await ask(file, method, null), metrics: await ask(file, method, "metrics") };
    const refused = await takeRows();
    const read = await ask(file, method, "read");
    const readRows = await takeRows();
    seen[name] = {
      ...statuses,
      read: read === 403,
      // What it asked for does not exist: to do something else would be worse than to refuse.
      admin: [400, 404].includes(admin),
      isAudited,
      refused,
      readRows,
    };
    const reaches = !isChange || ofReaders.has(name);
    expected[name] = {
      none: 401,
      metrics: 403,
      read: !reaches,
      admin: true,
      isAudited: isChange,
      refused: isChange ? ["a-metrics api FORBIDDEN"] : [],
      readRows: isChange ? [reaches ? "a-read api REQUEST_INVALID" : "a-read api FORBIDDEN"] : [],
    };
  }
  expect(seen).toEqual(expected);
});
