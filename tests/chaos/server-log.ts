/** The server's log lines, counted as they come: what a fault really did. */
import type { ErrorCode } from "#platform/errors.ts";
import type { LogEvent } from "#platform/log.ts";

export type Counts<Name extends string = string> = Partial<Record<Name, number>>;

export interface ServerLog {
  /** Takes one line of the server's output; what is no log line is passed over. */
  hear(line: string): void;
  /** The server's process has ended: what it had begun and not finished stays so. */
  processEnded(): void;
  /** Failed attempts to publish or to fall back. */
  readonly failedAttempts: Counts<ErrorCode>;
  /** Ended forwards. */
  readonly outcomes: Counts;
  /** Refused or failed calls of the consumer. */
  readonly failedIngestions: Counts<ErrorCode>;
  /** How many ingested events were known already. */
  readonly duplicatesFound: number;
  /** Processes that ended. */
  readonly ended: number;
  /** How often an instance began to acknowledge only what is kept. */
  readonly withheld: number;
  /** The keys that the server itself said are lost. */
  readonly lostKeys: ReadonlySet<string>;
  /** Deliveries whose forward runs. */
  readonly open: ReadonlySet<string>;
  /** Deliveries whose forward ended with their process. */
  readonly cutOff: ReadonlySet<string>;
  /** Deliveries that were acknowledged and lost though their runtime already knew that it could keep nothing. */
  readonly lostKnowingly: ReadonlySet<string>;
}

/** Of the lines that are counted, the fields that are read. */
interface Line {
  time: string;
  event: LogEvent;
  deliveryId?: string;
  runtime?: string;
  code?: ErrorCode;
  outcome?: string;
  duplicates?: number;
  keys?: readonly string[];
}

export function createServerLog(): ServerLog {
  const failedAttempts: Counts<ErrorCode> = {};
  const outcomes: Counts = {};
  const failedIngestions: Counts<ErrorCode> = {};
  const lostKeys = new Set<string>();
  const open = new Set<string>();
  const cutOff = new Set<string>();
  const lostKnowingly = new Set<string>();
  /** Where and when deliveries were received, until their forward has ended. */
  const received = new Map<string, { runtime: string; time: string }>();
  /** Since when a runtime knows that it can keep nothing. */
  const withheldSince = new Map<string, string>();
  const counted = { duplicatesFound: 0, withheld: 0, ended: 0 };

  const failedAttempt = ({ code }: Line) => code !== undefined && count(failedAttempts, code);
  const failedIngestion = ({ code }: Line) => code !== undefined && count(failedIngestions, code);
  const take: Partial<Record<LogEvent, (line: Line) => void>> = {
    "delivery.received": ({ deliveryId = "", runtime = "", time }) => {
      open.add(deliveryId);
      received.set(deliveryId, { runtime, time });
    },
    "publish.attempt_failed": failedAttempt,
    "publish.attempt_timed_out": failedAttempt,
    "fallback.attempt_failed": failedAttempt,
    "fallback.attempt_timed_out": failedAttempt,
    "forward.lost": ({ keys = [] }) => {
      for (const key of keys) lostKeys.add(key);
    },
    "forward.settled": ({ deliveryId = "", outcome = "" }) => {
      count(outcomes, outcome);
      if (outcome === "lost" && wasWithheld(deliveryId)) lostKnowingly.add(deliveryId);
      open.delete(deliveryId);
      received.delete(deliveryId);
    },
    "acks.withheld": ({ runtime = "", time }) => {
      counted.withheld += 1;
      withheldSince.set(runtime, time);
    },
    "acks.resumed": ({ runtime = "" }) => withheldSince.delete(runtime),
    "ingestion.committed": ({ duplicates = 0 }) => (counted.duplicatesFound += duplicates),
    "ingestion.refused": failedIngestion,
    "fallback.refused": failedIngestion,
  };

  function wasWithheld(deliveryId: string): boolean {
    const delivery = received.get(deliveryId);
    const since = delivery && withheldSince.get(delivery.runtime);
    // Warnings come by another way than the other lines, so that only their times tell the order.
    return since !== undefined && delivery !== undefined && delivery.time > since;
  }

  return {
    hear(line) {
      if (!line.startsWith("{")) return;
      const parsed = parse(line);
      if (parsed !== undefined) take[parsed.event]?.(parsed);
    },
    processEnded() {
      counted.ended += 1;
      for (const deliveryId of open) cutOff.add(deliveryId);
      open.clear();
    },
    failedAttempts,
    outcomes,
    failedIngestions,
    get duplicatesFound() {
      return counted.duplicatesFound;
    },
    get ended() {
      return counted.ended;
    },
    get withheld() {
      return counted.withheld;
    },
    lostKeys,
    open,
    cutOff,
    lostKnowingly,
  };
}

export function count<Name extends string>(counts: Counts<Name>, name: Name): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

/** A killed process may leave half a line. */
function parse(line: string): Line | undefined {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return undefined;
  }
}
