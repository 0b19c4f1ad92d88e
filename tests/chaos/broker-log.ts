/** The embedded QStash's log lines, counted as they come. */
import { systemClock } from "#platform/clock.ts";
import { createLog, type Log } from "#platform/log.ts";

export interface BrokerLog {
  readonly accepted: number;
  /** Messages that were published again, and known. */
  readonly deduplicated: number;
  /** Deliveries that failed and are made again. */
  readonly retried: number;
  readonly deadLetters: number;
}

/** A log for the broker, and what it said so far; `reset` counts from zero again. */
export function createBrokerLog(): { log: Log; counted: BrokerLog; reset(): void } {
  const counted = { accepted: 0, deduplicated: 0, retried: 0, deadLetters: 0 };
  const write = (line: string) => {
    const { event, deduplicated, state } = JSON.parse(line) as Record<string, unknown>;
    if (event === "broker.message_accepted") counted[deduplicated === true ? "deduplicated" : "accepted"] += 1;
    if (event === "broker.delivery_finished" && state === "waiting") counted.retried += 1;
    if (event === "broker.dead_letter") counted.deadLetters += 1;
  };
  return {
    log: createLog({ clock: systemClock, level: "debug", write: (_level, line) => write(line) }),
    counted,
    reset: () => void Object.assign(counted, { accepted: 0, deduplicated: 0, retried: 0, deadLetters: 0 }),
  };
}
