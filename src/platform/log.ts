import type { Clock } from "./clock.ts";

/** Every step of the path that is logged, in the order an event meets them. */
export type LogEvent =
  | "handshake.accepted"
  | "handshake.refused"
  | "delivery.received"
  | "delivery.refused"
  | "delivery.parse_failed"
  | "delivery.acked"
  | "forward.started"
  | "publish.attempt_started"
  | "publish.attempt_failed"
  | "publish.accepted"
  | "forward.settled"
  | "forward.lost"
  | "report.sent"
  | "report.failed"
  | "report.recorded"
  | "ingestion.received"
  | "ingestion.refused"
  | "ingestion.committed"
  | "ingestion.failed"
  | "handlers.finished"
  | "handler.failed"
  | "dead_letter.recorded"
  | "request.failed"
  | "ops.refused"
  | "broker.started"
  | "broker.stopped"
  | "broker.message_accepted"
  | "broker.delivery_started"
  | "broker.delivery_finished"
  | "broker.dead_letter"
  | "broker.request_failed"
  | "broker.store_failed";

export type LogLevel = "info" | "warn" | "error";
export type LogFields = Record<string, string | number | boolean | null | undefined | readonly string[]>;

/** Structured logging: one JSON line per event. Fields never hold secrets, signatures or message text. */
export interface Log {
  info(event: LogEvent, fields?: LogFields): void;
  warn(event: LogEvent, fields?: LogFields): void;
  error(event: LogEvent, fields?: LogFields): void;
  /** A log whose lines all carry these fields, the `deliveryId` above all. */
  with(fields: LogFields): Log;
}

export interface LogOptions {
  clock: Pick<Clock, "nowMs">;
  write: (level: LogLevel, line: string) => void;
}

export function createLog(options: LogOptions, bound: LogFields = {}): Log {
  const at =
    (level: LogLevel) =>
    (event: LogEvent, fields: LogFields = {}) => {
      const time = new Date(options.clock.nowMs()).toISOString();
      options.write(level, JSON.stringify({ time, level, event, ...bound, ...fields }));
    };
  return {
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields) => createLog(options, { ...bound, ...fields }),
  };
}

/** The platform's console, which Vercel and every terminal collect. */
export function writeToConsole(level: LogLevel, line: string): void {
  console[level](line);
}

/**
 * What an unexpected error may say in a log line: the names and codes along its causes and, where the message cannot
 * quote its input, the message of the innermost. JSON errors and database errors do quote it, so theirs stay out.
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
  const quotesInput = innermost instanceof SyntaxError || "severity" in innermost || "query" in innermost;
  return {
    cause: names.join(" < "),
    ...(codes.length > 0 ? { causeCode: codes.join(" < ") } : {}),
    ...(quotesInput ? {} : { causeMessage: innermost.message.slice(0, 300) }),
  };
}
