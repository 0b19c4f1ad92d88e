import { quantile } from "../bench/measure.ts";

import type { Rig } from "./rig.ts";
import type { SentDelivery } from "./send-as-meta.ts";
import { count, type Counts } from "./server-log.ts";

/** What a fault did. */
export interface Effects {
  met: MetCounts;
  failedAttempts: Counts;
  outcomes: Counts;
  failedIngestions: Counts;
  /** What requests that were not acknowledged got instead. */
  refusals: Counts;
  /** Messages that QStash knew already, and deliveries that it made again. */
  qstash: { deduplicated: number; retried: number; deadLetters: number };
  /** Events that came again and were known. */
  duplicatesFound: number;
  /** Events whose handler succeeded more than once. */
  repeated: number;
  /** Processes of the server that ended. */
  ended: number;
  /** How often an instance began to acknowledge only what is kept. */
  withheld: number;
  /** Acknowledged deliveries whose forward ended with their process. */
  inFlight: number;
  ackMs: { p50: number; p99: number; max: number };
}

/** Requests that met a fault, and connections that were cut or went silent. */
export interface MetCounts {
  qstash: number;
  entrance: number;
  cut: number;
}

export function countMet({ qstash, entrance, database }: Rig): MetCounts {
  return {
    qstash: qstash.requests.faulted,
    entrance: entrance.requests.faulted,
    cut: [qstash, entrance, database].reduce((sum, { connections }) => sum + connections.cut, database.broken),
  };
}

/** `before`: what had been met when the run began. */
export function readEffects(sent: readonly SentDelivery[], rig: Rig, before: MetCounts): Effects {
  const { serverLog, brokerLog } = rig;
  const now = countMet(rig);
  const refusals: Counts = {};
  for (const refusal of sent.flatMap((delivery) => delivery.refusals)) count(refusals, refusal);
  const ackMs = sent.flatMap((delivery) => (delivery.ackMs === null ? [] : [delivery.ackMs]));
  const ms = (share: number) => Math.round(quantile(ackMs, share));
  return {
    met: { qstash: now.qstash - before.qstash, entrance: now.entrance - before.entrance, cut: now.cut - before.cut },
    failedAttempts: serverLog.failedAttempts,
    outcomes: serverLog.outcomes,
    failedIngestions: serverLog.failedIngestions,
    refusals,
    qstash: { ...brokerLog },
    duplicatesFound: serverLog.duplicatesFound,
    repeated: countRepeated(rig),
    ended: serverLog.ended,
    withheld: serverLog.withheld,
    inFlight: sent.filter(({ ackedAs }) => ackedAs !== null && serverLog.cutOff.has(ackedAs)).length,
    ackMs: { p50: ms(0.5), p99: ms(0.99), max: ms(1) },
  };
}

/** Of all runs of the rig; 0 where nobody watches the handlers. */
function countRepeated({ handlers }: Rig): number {
  const ends: Counts = {};
  for (const { key, did } of handlers?.readLedger() ?? []) if (did === "end") count(ends, key);
  return Object.values(ends).filter((times) => (times ?? 0) > 1).length;
}
