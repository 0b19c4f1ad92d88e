/**
 * The user's handlers while `npm run chaos` runs: they do what orders.json says and note in ledger.jsonl when they begin
 * and end. The folder of both is in the variable CHAOS_FOLDER. They are built in the place of src/handlers/handlers.ts.
 */
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import type { Handler, Handlers } from "#handlers/handler.ts";

import type { HandlerOrders, LedgerLine } from "./orders.ts";

const folder = process.env["CHAOS_FOLDER"] ?? "";

const obey: Handler = async (event, { attempt, count }) => {
  const { delayMs, faults }: HandlerOrders = JSON.parse(readFileSync(join(folder, "orders.json"), "utf8"));
  const note = (did: LedgerLine["did"]) => {
    const line: LedgerLine = { key: event.key, attempt, did, atMs: Date.now(), pid: process.pid };
    // Before anything else, so that a process that is killed has noted what it did.
    appendFileSync(join(folder, "ledger.jsonl"), `${JSON.stringify(line)}\n`);
  };
  note("begin");
  if (delayMs > 0) await setTimeout(delayMs);
  switch (faults[event.kind]) {
    case "throw":
      throw new TypeError("ordered");
    case "throw-null":
      throw null;
    case "hang":
      return new Promise(() => {});
    case "block": {
      const endsAtMs = Date.now() + 3_000;
      while (Date.now() < endsAtMs);
      break;
    }
    case "leak":
      setInterval(() => {}, 10);
      break;
    case "exit":
      return process.exit(7);
    case undefined:
      break;
  }
  count(event.kind);
  note("end");
};

export const handlers: Handlers = {
  message: obey,
  "message.echo": obey,
  "message.deleted": obey,
  "message.unsupported": obey,
  "message.edited": obey,
  reaction: obey,
  read: obey,
  postback: obey,
  referral: obey,
  optin: obey,
  handover: obey,
  policy: obey,
  feedback: obey,
  comment: obey,
  live_comment: obey,
  mention: obey,
  story_insights: obey,
  unknown: obey,
};
