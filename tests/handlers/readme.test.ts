import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";

import { afterAll, describe, expect, onTestFinished, test } from "vitest";

import type { Handler, HandlerDatabase, HandlerEvent } from "#handlers/handler.ts";
import { runEventHandler } from "#ingestion/run-event-handler.ts";
import { systemClock } from "#platform/clock.ts";
import type { LeasedEvent } from "#store/handling/leased-event.ts";
import { noTrace } from "#tracing/trace.ts";

import { createHandlers } from "../support/handlers.ts";
import { startSink } from "../support/http-sink.ts";
import { createRecordingLog } from "../support/recording-log.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");
const blocks = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code);
// Within the project, so that its imports resolve as they do in src/handlers.
const folder = mkdtempSync(join(root, "tests/handlers/.readme-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function writeBlock(name: string, code: string): string {
  const file = join(folder, name);
  writeFileSync(file, code);
  return file;
}

describe("the code in the README", () => {
  test("compiles as the project does", async () => {
    const files = blocks.map((code, index) => writeBlock(`block-${index}.ts`, code));
    expect(files.length).toBeGreaterThan(0);
    const settings = {
      extends: join(root, "tsconfig.json"),
      compilerOptions: { incremental: false },
      files,
      include: [],
    };
    const project = writeBlock("tsconfig.json", JSON.stringify(settings));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const { stdout } = await promisify(execFile)(process.execPath, [tsc, "--noEmit", "-p", project]);
    expect(stdout).toBe("");
  });

  test.each([
    [200, { handled: true, counts: new Map([["comments sent to the CRM", 1]]) }],
    [503, { handled: false, failure: { name: "HandlerError", code: "crm_status_503", retryable: true } }],
    [422, { handled: false, failure: { name: "HandlerError", code: "crm_status_422", retryable: false } }],
  ])("handles a comment if the CRM answers %i so", async (status, outcome) => {
    const crm = await startSink({ respond: () => ({ status }) });
    onTestFinished(() => crm.close());
    const example = blocks.find((code) => code.includes("sendComment")) ?? "";
    const file = writeBlock(`send-comment-${status}.ts`, example.replace("https://crm.example/comments", crm.url));
    const { sendComment } = (await import(pathToFileURL(file).href)) as { sendComment: Handler<"comment"> };

    const recording = createRecordingLog();
    const data = { id: "1", text: "how much?" } satisfies HandlerEvent<"comment">["data"];
    const result = await runEventHandler(storedComment(JSON.stringify(data)), {
      handlers: createHandlers(undefined, { comment: sendComment }),
      timeoutMs: 5_000,
      openDatabase: () => noDatabase,
      clock: systemClock,
      log: recording.log,
      trace: noTrace,
    });
    expect(result).toMatchObject(outcome);
    const request = await crm.next();
    expect(request.headers).toMatchObject({ "content-type": "application/json", "idempotency-key": "comment:1:1" });
    expect(JSON.parse(request.body.toString())).toEqual(data);
    const line =
      status === 200 ? { event: "handler.log", name: "crm.sent" } : { causeMessage: `The CRM answered ${status}` };
    expect(recording.lines).toMatchObject([line]);
  });
});

function storedComment(data: string): LeasedEvent {
  const sides = { accountId: "1", senderId: "2", recipientId: null, occurredAt: null, sentAt: null };
  const flags = { standby: false, test: false, drifted: false };
  const lease = { fence: 1, attempt: 1, deaths: 0, conversation: "1:2", deliveryId: "d1", batchIndex: 0, replay: null };
  return { id: 1, key: "comment:1:1", kind: "comment", ...sides, ...flags, ...lease, data };
}

const noDatabase: HandlerDatabase = { query: () => expect.unreachable(), transaction: () => expect.unreachable() };
