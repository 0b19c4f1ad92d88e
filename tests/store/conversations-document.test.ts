/** The SQL and the code in docs/CONVERSATIONS.md do what it says. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";

import { afterAll, expect, onTestFinished, test } from "vitest";

import type { Handler, HandlerContext, HandlerEvent } from "#handlers/handler.ts";
import type { Database } from "#store/connection/database.ts";
import { storeBatch } from "#store/ingest/store-batch.ts";

import { startSink } from "../support/http-sink.ts";
import { account, echo, type Item, message, person, reaction, reading, toEvent } from "../support/messaging.ts";
import { openTestStore, testBatch, toStore } from "../support/store.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const text = readFileSync(join(root, "docs/CONVERSATIONS.md"), "utf8");
const blocksOf = (language: string) =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, code = ""]) => code);

// Within the project, so that its imports resolve as they do in src/handlers.
const folder = mkdtempSync(join(root, "tests/store/.conversations-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const atMs = 1_700_000_000_000;
let deliveries = 0;

async function store(db: Database, items: Item[]) {
  const events = await Promise.all(items.map(toEvent));
  await storeBatch(db, toStore(testBatch(`d${++deliveries}`, events)));
}

test("its statements answer what it says", async () => {
  const { db } = await openTestStore();
  await store(db, [
    { atMs, part: message("m1", "Is it there in blue?") },
    { atMs: atMs + 1, outbound: true, part: echo("m2", "Yes") },
    { atMs: atMs + 2, part: reading("m2") },
    { atMs: atMs + 3, part: reaction("m2", "❤️") },
    { atMs: atMs + 4, part: message("m3", "In size M?") },
  ]);
  const results: unknown[][] = [];
  for (const sql of blocksOf("sql")) results.push((await db.$client.query(sql)).rows);
  expect(results).toMatchObject([
    [
      { direction: "inbound", text: "Is it there in blue?", read_at: null },
      { direction: "outbound", text: "Yes", reactions: { [person]: "❤️" }, read_at: new Date(atMs + 2) },
      { direction: "inbound", text: "In size M?" },
    ],
    [{ person_id: person, last_text: "In size M?", unanswered: 1 }],
    [{ person_id: person, favourite: "❤️" }],
  ]);
});

test("every column that it names is there", async () => {
  const { db } = await openTestStore();
  for (const view of ["messages", "conversations"]) {
    const [, table = ""] = new RegExp(`\\| \`relay\\.${view}\` \\| \\|\\n(.*?)\\n\\n`, "s").exec(text) ?? [];
    const named = table
      .split("\n")
      .flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`(\w+)`/g)].map(([, name]) => name));
    const { rows } = await db.$client.query<{ column_name: string }>(
      "select column_name from information_schema.columns where table_schema = 'relay' and table_name = $1",
      [view],
    );
    expect(new Set(named)).toEqual(new Set(rows.map((row) => row.column_name)));
  }
});

test("its handler passes on what is unanswered", async () => {
  const [code = ""] = blocksOf("ts");
  const desk = await startSink();
  onTestFinished(() => desk.close());
  const file = join(folder, "pass-on.ts");
  writeFileSync(file, code.replace("https://desk.example/messages", desk.url));
  const settings = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: { incremental: false },
    files: [file],
    include: [],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const { stdout } = await promisify(execFile)(process.execPath, [
    tsc,
    "--noEmit",
    "-p",
    join(folder, "tsconfig.json"),
  ]);
  expect(stdout).toBe("");

  const { passOn } = (await import(pathToFileURL(file).href)) as { passOn: Handler<"message"> };
  const { db } = await openTestStore();
  await store(db, [{ atMs, part: message("m1", "Is it there in blue?") }]);
  const event = {
    accountId: account,
    senderId: person,
    key: "message:m1",
    data: { message: { mid: "m1", text: "Is it there in blue?" } },
  } as HandlerEvent<"message">;
  const query = async (statement: string, values: readonly unknown[] = []) =>
    (await db.$client.query(statement, [...values])).rows as never;
  const counted: string[] = [];
  const context = {
    database: { query },
    count: (name: string) => void counted.push(name),
    signal: AbortSignal.timeout(60_000),
  } as unknown as HandlerContext;

  await passOn(event, context);
  expect(JSON.parse((await desk.next()).body.toString())).toEqual({ from: person, text: "Is it there in blue?" });
  await store(db, [{ atMs: atMs + 1, outbound: true, part: echo("m2", "Yes") }]);
  await passOn(event, context);
  expect(counted).toEqual(["messages passed on"]);
  expect(desk.requests).toHaveLength(1);
});
