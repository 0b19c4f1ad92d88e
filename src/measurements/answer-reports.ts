import * as v from "valibot";

import type { Clock } from "#platform/clock.ts";
import { deliveryIdPattern, type ForwardOutcome, forwardOutcomes } from "#platform/delivery.ts";
import { deliverySchemas, durationSchema, instantSchema } from "#platform/delivery-schema.ts";
import { RelayError } from "#platform/errors.ts";
import { readInternal } from "#platform/read-internal.ts";
import type { Log } from "#platform/log.ts";
import { refuse } from "#platform/refuse.ts";

import { type ForwardReport, type RefusalCounts, reportsMax } from "./report.ts";

const count = v.pipe(v.number(), v.minValue(0));

const { id, ...facts } = deliverySchemas;

const reportSchema: v.GenericSchema<unknown, ForwardReport> = v.object({
  deliveryId: id,
  ...facts,
  events: count,
  outcome: v.picklist(forwardOutcomes),
  ackMs: v.nullable(durationSchema),
  publishMs: durationSchema,
  publishedAtMs: v.nullable(durationSchema),
  // An older release names none.
  messageIds: v.optional(v.pipe(v.array(v.pipe(v.string(), v.regex(deliveryIdPattern))), v.maxLength(2_000)), []),
  attempts: count,
  timeouts: count,
  // An older release sends neither.
  sampleRate: v.optional(v.pipe(v.number(), v.minValue(1e-6), v.maxValue(1)), 1),
  ackInBatch: v.optional(v.boolean(), false),
  errorType: v.nullable(v.pipe(v.string(), v.regex(/^[A-Z_]{1,50}$/))),
});

const refusalsSchema: v.GenericSchema<unknown, RefusalCounts> = v.object({
  runtime: deliverySchemas.runtime,
  atMs: instantSchema,
  counts: v.pipe(
    v.record(v.pipe(v.string(), v.regex(/^[A-Z_]{1,50}$/)), v.pipe(v.number(), v.integer(), v.minValue(1))),
    v.maxEntries(50),
  ),
});

/** Holds also the reports that could not be sent before. */
const bodySchema = v.object({
  // A report that is not understood must not cost the others.
  reports: v.pipe(v.array(v.fallback(v.nullable(reportSchema), null)), v.maxLength(reportsMax * 2)),
  refusals: v.fallback(v.optional(v.nullable(refusalsSchema)), null),
});

export interface AnswerReportsOptions {
  /** Throws `ENV_INVALID` if something is missing. */
  readSecrets: () => readonly string[];
  save: (reports: readonly ForwardReport[]) => Promise<void>;
  saveRefusals: (refusals: RefusalCounts) => Promise<void>;
  /** Begins what may go on after the answer, by the outcomes that were reported. Never rejects. */
  afterwards: (outcomes: readonly ForwardOutcome[]) => Promise<void>;
  clock: Clock;
  log: Log;
}

/**
 * Answers a call with reports of our own forwards and refusals: stores each report once and answers `{ recorded }`. 401
 * `SIGNATURE_INVALID` unless `RELAY_SECRET` signed the body, 400 `REQUEST_INVALID` if no report is understood, and 503
 * `STORE_UNAVAILABLE` if they cannot be stored.
 */
export async function answerReports(request: Request, options: AnswerReportsOptions): Promise<Response> {
  const { readSecrets, save, saveRefusals, afterwards, clock, log } = options;
  try {
    const body = await readInternal(request, { readSecrets, bytesMax: 1_000_000, timeoutMs: 5_000, clock });
    const { reports, refusals } = parseReports(body);
    await save(reports);
    if (refusals !== undefined && Object.keys(refusals.counts).length > 0) await saveRefusals(refusals);
    log.debug("reports.recorded", { deliveryIds: reports.map(({ deliveryId }) => deliveryId) });
    await afterwards(reports.map(({ outcome }) => outcome));
    return Response.json({ recorded: reports.length });
  } catch (thrown) {
    return refuse(log, "reports.refused", thrown);
  }
}

function parseReports(body: Uint8Array): { reports: ForwardReport[]; refusals: RefusalCounts | undefined } {
  try {
    const { reports, refusals } = v.parse(bodySchema, JSON.parse(new TextDecoder().decode(body)));
    const understood = reports.filter((report) => report !== null);
    const isNothing = understood.length === 0 && (reports.length > 0 || refusals === null);
    if (isNothing) throw new TypeError("No report is understood");
    return { reports: understood, refusals: refusals ?? undefined };
  } catch (thrown) {
    throw new RelayError("REQUEST_INVALID", "The body is not a list of reports", { cause: thrown });
  }
}
