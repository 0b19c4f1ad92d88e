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
  /** Calls of handlers that began, and that succeeded; and events whose handler succeeded more than once. */
  handlers: { began: number; succeeded: number; succeededTwice: number };
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
    handlers: countHandlers(rig),
    ended: serverLog.ended,
    withheld: serverLog.withheld,
    inFlight: sent.filter(({ ackedAs }) => ackedAs !== null && serverLog.cutOff.has(ackedAs)).length,
    ackMs: { p50: ms(0.5), p99: ms(0.99), max: ms(1) },
  };
}

/** Zeros where nobody watches the handlers. */
function countHandlers({ handlers }: Rig): Effects["handlers"] {
  const ledger = handlers?.readLedger() ?? [];
  const ends: Counts = {};
  for (const { key, did } of ledger) if (did === "end") count(ends, key);
  const succeeded = Object.values(ends).map((times) => times ?? 0);
  return {
    began: ledger.filter(({ did }) => did === "begin").length,
    succeeded: succeeded.reduce((sum, times) => sum + times, 0),
    succeededTwice: succeeded.filter((times) => times > 1).length,
  };
}
