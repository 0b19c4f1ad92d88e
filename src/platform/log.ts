import type { Clock } from "./clock.ts";

/**
 * All log events. Those of a delivery come first, in the order of its path; then requests about a person, the lifecycle
 * experiment, the process itself, pages and sign-in; then the broker.
 */
export type LogEvent =
  | "handshake.accepted"
  | "handshake.refused"
  | "delivery.received"
  | "delivery.refused"
  | "delivery.parse_failed"
  | "delivery.wait_until_failed"
  | "forward.started"
  | "publish.attempt_started"
  | "publish.attempt_failed"
  | "publish.attempt_timed_out"
  | "publish.accepted"
  | "fallback.attempt_started"
  | "fallback.attempt_failed"
  | "fallback.attempt_timed_out"
  | "fallback.accepted"
  | "forward.settled"
  | "forward.lost"
  | "forward.failed"
  | "delivery.acked"
  | "acks.withheld"
  | "acks.resumed"
  | "reports.sent"
  | "reports.failed"
  | "reports.recorded"
  | "reports.refused"
  | "ingestion.received"
  | "ingestion.refused"
  | "fallback.refused"
  | "ingestion.committed"
  | "handler.log"
  | "handler.failed"
  | "handlers.finished"
  | "handlers.requested"
  | "handlers.refused"
  | "handlers.publish_failed"
  | "handlers.settle_failed"
  | "handlers.lease_failed"
  | "handlers.wait_until_failed"
  | "ingestion.attempt_unsaved"
  | "enqueue.refused"
  | "drain.refused"
  | "drain.message_failed"
  | "drain.message_given_up"
  | "drain.queue_failed"
  | "drain.failed"
  | "drain.finished"
  | "queue.message_given_up"
  | "dead_letter.recorded"
  | "dead_letter.refused"
  | "dead_letter.regressed"
  | "dead_letter.group_changed"
  | "replay.planned"
  | "replay.started"
  | "replay.step_finished"
  | "replay.stalled"
  | "replay.cancelled"
  | "replay.finished"
  | "replay.failed"
  | "backfill.planned"
  | "backfill.started"
  | "backfill.waiting"
  | "backfill.failed"
  | "backfill.stopped"
  | "backfill.cancelled"
  | "backfill.finished"
  | "ingestion.paused"
  | "ingestion.resumed"
  | "probes.sent"
  | "probes.failed"
  | "maintenance.finished"
  | "maintenance.part_finished"
  | "maintenance.part_failed"
  | "maintenance.refused"
  | "alerts.changed"
  | "alerts.notice_sent"
  | "alerts.notice_failed"
  | "alerts.publish_failed"
  | "alerts.evaluation_failed"
  | "alerts.decided"
  | "condition.part_failed"
  | "figures.roll_up_failed"
  | "figures.damaged"
  | "partitions.created"
  | "partitions.default_used"
  | "signed_request.refused"
  | "deauthorization.recorded"
  | "data_deletion.recorded"
  | "data_deletion.completed"
  | "data_deletion.continues"
  | "data_deletion.failed"
  | "lifecycle.run_failed"
  | "lifecycle.run_refused"
  | "lifecycle.strategy_unavailable"
  | "lifecycle.mark_failed"
  | "lifecycle.mark_refused"
  | "relay_url.redirects"
  | "relay_url.foreign"
  | "store.connection_broken"
  | "process.uncaught"
  | "queue.differs"
  | "tracing.failed"
  | "health.failed"
  | "deletion_status.failed"
  | "ops.refused"
  | "ops.limited"
  | "audit.failed"
  | "metrics.part_failed"
  | "page.failed"
  | "sign_in.accepted"
  | "sign_in.refused"
  | "sign_in.failed"
  | "sign_out.failed"
  | "preferences.failed"
  | "broker.started"
  | "broker.stopped"
  | "broker.message_accepted"
  | "broker.delivery_started"
  | "broker.delivery_finished"
  | "broker.dead_letter"
  | "broker.schedule_fired"
  | "broker.loopback_destination"
  | "broker.keys_rotated"
  | "broker.request_failed"
  | "broker.store_failed";

/** From the level that writes most to the one that writes least. */
export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];
type LogValue = string | number | boolean | null | undefined;
export type LogFields = Record<string, LogValue | readonly string[] | Readonly<Record<string, LogValue>>>;

/**
 * Structured logging: one JSON line per event. Each text is cut to 300 characters, because strangers choose some of them,
 * such as a path. Fields never hold secrets, signatures or message text.
 */
export interface Log {
  /** A step of a delivery that its info lines sum up. */
  debug(event: LogEvent, fields?: LogFields): void;
  info(event: LogEvent, fields?: LogFields): void;
  warn(event: LogEvent, fields?: LogFields): void;
  error(event: LogEvent, fields?: LogFields): void;
  /** A log whose lines all carry these fields, the `deliveryId` above all. */
  with(fields: LogFields): Log;
}

export interface LogOptions {
  clock: Pick<Clock, "nowMs">;
  write: (level: LogLevel, line: string) => void;
  /** The lowest level that is written, as `LOG_LEVEL` names it. `info` without it; all, if it is none of the levels. */
  level?: string | undefined;
}

/** How each line begins. */
export const lineStart = '{"time":"';

/** Creates a log that passes each line to `write`. `bound`: fields of every line. */
export function createLog(options: LogOptions, bound: LogFields = {}): Log {
  const names: readonly string[] = logLevels;
  const lowest = names.indexOf(options.level ?? "info");
  const at =
    (level: LogLevel) =>
    (event: LogEvent, fields: LogFields = {}) => {
      if (names.indexOf(level) < lowest) return;
      const time = new Date(options.clock.nowMs()).toISOString();
      options.write(level, JSON.stringify({ time, level, event, ...bound, ...fields }, cut));
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields) => createLog(options, { ...bound, ...fields }),
  };
}

const textMax = 300;

function cut(_name: string, value: unknown): unknown {
  return typeof value === "string" && value.length > textMax ? `${value.slice(0, textMax)}…` : value;
}

/** The platform's console, which Vercel and every terminal collect. */
export function writeToConsole(level: LogLevel, line: string): void {
  console[level](line);
}

/**
 * Errors whose messages quote no input. JSON's, a database's and valibot's do, and so do the TypeErrors of `fetch`, which
 * name the header or the address that they refuse.
 */
const quotesNothing = /^(Relay|Forward|Reference|Abort|Timeout|Signature)Error$/;

/**
 * Log fields that describe an unexpected error: the names and codes along its causes and, where the innermost message
 * cannot quote a customer's words, that message.
 */
export function describeCause(thrown: unknown): LogFields {
  const names: string[] = [];
  const codes: string[] = [];
  let innermost: Error | undefined;
  for (let error: unknown = thrown; error instanceof Error && names.length < 5; error = error.cause) {
    names.push(error.name);
    const code = (error as { code?: unknown }).code;
    if (typeof code === "string") codes.push(code);
    innermost = error;
  }
  if (innermost === undefined) return { cause: typeof thrown };
  // The system's own errors, ECONNREFUSED and its like, name an address at most.
  const fromSystem = !("severity" in innermost) && /^(E[A-Z]+|UND_ERR_[A-Z_]+)$/.test(codes.at(-1) ?? "");
  const speaks = fromSystem || quotesNothing.test(innermost.name);
  return {
    cause: names.join(" < "),
    ...(codes.length > 0 ? { causeCode: codes.join(" < ") } : {}),
    ...(speaks ? { causeMessage: innermost.message } : {}),
  };
}
