// The bodies of the experiment's internal calls, with a parser for each.
import * as v from "valibot";

import { runtimes } from "#platform/delivery.ts";
import { RelayError } from "#platform/errors.ts";

import type { LifecycleMark, LifecycleTiming, PlannedRun, StartedRun } from "./experiment.ts";
import { strategies } from "./strategies.ts";

/** The request that starts a run. The runtime is that of the route it is sent to. */
export type RunRequest = Pick<PlannedRun, "strategy" | "dueAfterMs"> & { experimentId: string };

/** The answer to a `RunRequest`. `startedAtMs` is by the clock of the function that answers. */
export interface RunAnswer extends Pick<StartedRun, "region"> {
  status: "started" | "unavailable";
  startedAtMs: number;
}

const experimentId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,100}$/));
const strategy = v.picklist(strategies);
const from = (minMs: number, maxMs: number) => v.pipe(v.number(), v.integer(), v.minValue(minMs), v.maxValue(maxMs));

/** Early work must end within the race's 3 s. Late work on the edge, due 3 s after Node's, must end within 25 s. */
const timingSchema: v.GenericSchema<unknown, Partial<LifecycleTiming>> = v.pipe(
  v.unknown(),
  // `strictObject` refuses unknown keys, and an empty array has none.
  v.check((value) => !Array.isArray(value)),
  v.strictObject({
    earlyMs: v.exactOptional(from(100, 2_000)),
    lateMs: v.exactOptional(from(100, 15_000)),
  }),
);

const runRequestSchema: v.GenericSchema<unknown, RunRequest> = v.object({
  experimentId,
  strategy,
  dueAfterMs: from(0, 20_000),
});

const runAnswerSchema: v.GenericSchema<unknown, RunAnswer> = v.object({
  status: v.picklist(["started", "unavailable"]),
  startedAtMs: from(0, 8.64e15),
  region: v.nullable(v.pipe(v.string(), v.maxLength(100))),
});

const markSchema: v.GenericSchema<unknown, LifecycleMark> = v.object({
  experimentId,
  runtime: v.picklist(runtimes),
  strategy,
});

/** The times that the caller of an experiment sets; an empty body sets none. Throws `REQUEST_INVALID`. */
export function parseTiming(body: Uint8Array): Partial<LifecycleTiming> {
  if (body.byteLength === 0) return {};
  return parse(
    timingSchema,
    body,
    'like { "earlyMs": 1000, "lateMs": 6000 }, with earlyMs from 100 to 2000 and lateMs from 100 to 15000',
  );
}

/** The request that starts a run. Throws `REQUEST_INVALID`. */
export function parseRunRequest(body: Uint8Array): RunRequest {
  return parse(runRequestSchema, body, "a run of the lifecycle experiment");
}

/** A run's mark. Throws `REQUEST_INVALID`. */
export function parseMark(body: Uint8Array): LifecycleMark {
  return parse(markSchema, body, "a mark of the lifecycle experiment");
}

/** The answer to a run's request; undefined for anything else, such as the sign-in page of Deployment Protection. */
export function parseRunAnswer(text: string): RunAnswer | undefined {
  try {
    return v.parse(runAnswerSchema, JSON.parse(text));
  } catch {
    return undefined;
  }
}

function parse<T>(schema: v.GenericSchema<unknown, T>, body: Uint8Array, what: string): T {
  try {
    return v.parse(schema, JSON.parse(new TextDecoder().decode(body)));
  } catch (thrown) {
    throw new RelayError("REQUEST_INVALID", `The body is not ${what}`, { cause: thrown });
  }
}
