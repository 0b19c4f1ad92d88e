import * as v from "valibot";

import { burstPairs } from "#measurements/probe-budget.ts";
import type { MeasuredPair, MeasuredProbe } from "#measurements/probe.ts";
import { runtimes } from "#platform/delivery.ts";
import { RelayError } from "#platform/errors.ts";
import { savePairs } from "#store/figures/probe-pairs.ts";

import { ownVantage, pairsPerRunMax, type Probing } from "./probing.ts";

const uuid = v.pipe(v.string(), v.uuid("must be a UUID"));
const name = v.pipe(v.string(), v.regex(/^[\x20-\x7e]{1,100}$/, "must be 1 to 100 printable ASCII characters"));

function milliseconds(max: number) {
  return v.pipe(
    v.number(),
    v.minValue(0, "must not be negative"),
    v.maxValue(max, `must be at most ${max}, in milliseconds`),
  );
}

const minuteMs = 60_000;
/** No sender waits longer for an answer. */
const answerMsMax = 30_000;
const idleMsMax = 366 * 24 * 60 * minuteMs;

const probe: v.GenericSchema<unknown, Omit<MeasuredProbe, "deliveryId">> = v.pipe(
  v.strictObject({
    ms: v.nullable(v.pipe(milliseconds(answerMsMax), v.gtValue(0, "must be above 0"))),
    handlerMs: v.nullable(milliseconds(answerMsMax)),
    region: v.nullable(name),
    coldStart: v.nullable(v.boolean()),
    idleMs: v.nullable(milliseconds(idleMsMax)),
  }),
  // Two clocks measured them, each with a resolution of up to a millisecond.
  v.check(
    ({ ms, handlerMs }) => handlerMs === null || (ms !== null && handlerMs <= ms + 1),
    "has a handlerMs above its ms",
  ),
);

/** The body of `POST /api/ops/probes`. */
export const pairsRequest = v.strictObject({
  vantage: v.pipe(
    v.string(),
    v.regex(/^[A-Za-z0-9][A-Za-z0-9 ._'()-]{0,59}$/, "must be a name of 1 to 60 letters, digits and . _ ' ( ) -"),
    v.check((text) => !text.startsWith(ownVantage), "is the name of a place of the relay itself"),
  ),
  pairs: v.pipe(
    v.array(
      v.strictObject({
        id: uuid,
        burst: uuid,
        at: v.pipe(v.string(), v.isoTimestamp("must be a time with its offset, such as 2026-01-31T12:00:00Z")),
        first: v.picklist(runtimes, `must be one of ${runtimes.join(", ")}`),
        deployment: v.nullable(name),
        edge: probe,
        nodejs: probe,
      }),
    ),
    v.minLength(1, "must not be empty"),
    v.maxLength(100, "has over 100 pairs"),
  ),
});

export type PairsRequest = v.InferOutput<typeof pairsRequest>;

/** The body of `POST /api/ops/probes/signed` and of `POST /api/ops/probes/run`. */
export const countRequest = v.strictObject({
  pairs: v.optional(
    v.pipe(
      v.number(),
      v.safeInteger("must be a whole number"),
      v.minValue(1, "must be at least 1"),
      v.maxValue(pairsPerRunMax, `must be at most ${pairsPerRunMax}`),
    ),
    burstPairs,
  ),
});

const fastMsMax = 5 * minuteMs;
const oldMsMax = 60 * minuteMs;

/**
 * Stores pairs that were measured elsewhere, each once; answers how many are new. Throws `REQUEST_INVALID` if one is not of
 * the last hour by the relay's clock, which is how a wrong clock shows, and `STORE_UNAVAILABLE`.
 */
export async function takePairs(
  { vantage, pairs }: PairsRequest,
  { db, clock }: Pick<Probing, "db" | "clock">,
): Promise<{ saved: number; known: number }> {
  const nowMs = clock.nowMs();
  const measured = pairs.map(({ at, edge, nodejs, ...pair }): MeasuredPair => {
    const atMs = Date.parse(at);
    const aheadMs = atMs - nowMs;
    if (aheadMs > fastMsMax)
      throw refused(at, `${minutes(aheadMs)} in the future: the clock of the machine that measured it is fast`);
    if (-aheadMs > oldMsMax)
      throw refused(
        at,
        `${minutes(-aheadMs)} ago: it is too old, or the clock of the machine that measured it is slow`,
      );
    const known = { deliveryId: null };
    return { ...pair, atMs, canary: false, edge: { ...edge, ...known }, nodejs: { ...nodejs, ...known } };
  });
  const saved = await savePairs(db, vantage, measured);
  return { saved, known: pairs.length - saved };
}

function refused(at: string, why: string): RelayError {
  return new RelayError("REQUEST_INVALID", `A pair is of ${at}, ${why}`);
}

function minutes(ms: number): string {
  return `${Math.round(ms / minuteMs)} minutes`;
}
