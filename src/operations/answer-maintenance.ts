import * as v from "valibot";

import { equalInConstantTime } from "#platform/bytes.ts";
import { RelayError } from "#platform/errors.ts";
import type { Log } from "#platform/log.ts";
import { parseJson } from "#platform/parse-json.ts";
import { refuse } from "#platform/refuse.ts";
import type { AnswerQueueCall, QueueCall } from "#queue/queue-call.ts";

import { advanceReplay } from "./advance-replay.ts";
import { noticeMessage } from "./alerts/notice-message.ts";
import type { SentNotices } from "./alerts/send-notices.ts";
import { advanceByMessage } from "./backfill/advance-backfill.ts";
import { backfillMessage } from "./backfill/backfill-step.ts";
import type { Backfilling } from "./backfill/backfilling.ts";
import type { MaintenanceResult } from "./maintenance.ts";
import type { Operations } from "./operations.ts";
import { stepMessage } from "./replay-step.ts";

export interface AnswerCronOptions {
  /** CRON_SECRET; null if it is not set. */
  readSecret: () => string | null;
  /** Throws `ENV_INVALID` if a variable is missing. */
  run: () => Promise<MaintenanceResult>;
  log: Log;
}

/** 503 if no part could do anything, as without the database: a silent one leaves no time for most parts. */
function describeResult(result: MaintenanceResult): Response {
  const isDown = result.parts.some((part) => "error" in part) && !result.parts.some((part) => "result" in part);
  return Response.json(result, { status: isDown ? 503 : 200, headers });
}

const headers = { "cache-control": "no-store" };

/**
 * Maintenance for a caller with CRON_SECRET, as Vercel's cron jobs send it: 200 with what each part did, also if one failed,
 * 503 if all did that were tried. 401 for any other caller; 503 without the variable, or without one that maintenance needs.
 */
export async function answerCron(request: Request, { readSecret, run, log }: AnswerCronOptions): Promise<Response> {
  try {
    const secret = readSecret();
    if (secret === null) throw new RelayError("ENV_INVALID", "Configuration is incomplete: CRON_SECRET is not set");
    const given = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
    if (!(await equalInConstantTime(given, secret))) {
      throw new RelayError("UNAUTHORIZED", "CRON_SECRET is required as the bearer token");
    }
    return describeResult(await run());
  } catch (thrown) {
    return refuse(log, "maintenance.refused", thrown);
  }
}

export interface MaintenanceMessageOptions {
  run: () => Promise<MaintenanceResult>;
  openOperations: () => Operations;
  /** Throws `ENV_INVALID`. */
  openBackfilling: () => Backfilling;
  /** Sends the alerts' notice with this id. Throws `ENV_INVALID` and `STORE_UNAVAILABLE`. */
  sendNotice: (id: string) => Promise<SentNotices>;
}

/**
 * The same for the queue: a schedule's message has no body, or an empty object. A message with the step of a replay or a backfill
 * advances that instead, and one with a notice of alerts sends that notice: 503 if a receiver did not take it, so that the queue
 * calls again.
 */
export function answerMaintenance(
  request: Request,
  answerCall: AnswerQueueCall,
  options: MaintenanceMessageOptions,
): Promise<Response> {
  return answerCall(request, "maintenance.refused", (call, log) => runMaintenanceMessage(call, log, options));
}

/** The same for a message that has no request. Throws `BATCH_INVALID`, `ENV_INVALID` and `STORE_UNAVAILABLE`. */
export async function runMaintenanceMessage(
  { body, retried }: QueueCall,
  log: Log,
  options: MaintenanceMessageOptions,
): Promise<Response> {
  if (body.trim() === "" || body.trim() === "{}") return describeResult(await options.run());
  const json = parseJson(body);
  if (v.is(noticeMessage, json)) {
    const sent = await options.sendNotice(json.alertNotice);
    return Response.json(sent, { status: sent.pending > 0 ? 503 : 200, headers });
  }
  if (v.is(backfillMessage, json)) {
    return Response.json(await advanceByMessage(json, { ...options.openBackfilling(), log }), { headers });
  }
  const step = v.safeParse(stepMessage, json);
  if (!step.success) {
    const expected = "neither empty, nor the step of a replay or a backfill, nor a notice";
    throw new RelayError("BATCH_INVALID", `The body is ${expected}`);
  }
  const operations = { ...options.openOperations(), log };
  return Response.json(await advanceReplay(step.output, retried > 0, operations), { headers });
}
