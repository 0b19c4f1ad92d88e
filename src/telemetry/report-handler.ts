import * as v from "valibot";

import type { Clock } from "#platform/clock.ts";
import { errorResponse, RelayError, toRelayError } from "#platform/errors.ts";
import { internalSignatureHeader, verifyInternal } from "#platform/internal-signature.ts";
import { describeCause, type Log } from "#platform/log.ts";
import { readBody } from "#platform/read-body.ts";

import { type ForwardReport, forwardOutcomes } from "./report.ts";

const milliseconds = v.pipe(v.number(), v.minValue(0), v.maxValue(8.64e15));
const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2_147_483_647));

const reportSchema: v.GenericSchema<unknown, ForwardReport> = v.object({
  deliveryId: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,100}$/)),
  runtime: v.picklist(["edge", "nodejs"]),
  region: v.nullable(v.pipe(v.string(), v.maxLength(100))),
  coldStart: v.boolean(),
  probe: v.boolean(),
  receivedAtMs: milliseconds,
  bodyBytes: count,
  events: count,
  outcome: v.picklist(forwardOutcomes),
  ackMs: milliseconds,
  publishMs: milliseconds,
  publishedAtMs: v.nullable(milliseconds),
  attempts: count,
  timeouts: count,
  errorType: v.nullable(v.pipe(v.string(), v.regex(/^[A-Z_]{1,50}$/))),
});

export interface ReportHandlerOptions {
  /** Throws `ENV_INVALID` if something is missing. */
  readSecret: () => string;
  save: (report: ForwardReport) => Promise<void>;
  clock: Clock;
  log: Log;
}

/** Takes the reports of our own forwards: only what `RELAY_SECRET` signed, each stored once. */
export async function handleReport(request: Request, options: ReportHandlerOptions): Promise<Response> {
  const { readSecret, save, clock, log } = options;
  try {
    const secret = readSecret();
    const body = await readBody(request, { bytesMax: 100_000, timeoutMs: 5_000, clock });
    if (!(await verifyInternal(secret, body, request.headers.get(internalSignatureHeader), clock.nowMs()))) {
      throw new RelayError("SIGNATURE_INVALID", `${internalSignatureHeader} is missing, wrong or too old`);
    }
    const report = parseReport(body);
    await save(report);
    log.info("report.recorded", { deliveryId: report.deliveryId, outcome: report.outcome });
    return Response.json({ recorded: true });
  } catch (thrown) {
    const error = toRelayError(thrown);
    log.warn("request.failed", { code: error.code, reason: error.message, ...describeCause(error.cause ?? error) });
    return errorResponse(error);
  }
}

function parseReport(body: Uint8Array): ForwardReport {
  try {
    return v.parse(reportSchema, JSON.parse(new TextDecoder().decode(body)));
  } catch (thrown) {
    throw new RelayError("REQUEST_INVALID", "The body is not a forward's report", { cause: thrown });
  }
}
