import { errorResponse, toRelayError } from "./errors.ts";
import { describeCause, type Log, type LogEvent, type LogFields } from "./log.ts";

export interface RefuseOptions {
  /** Of the response, beside those of every error's response. */
  headers?: Record<string, string>;
  /** Of the log line, beside the error's own. */
  fields?: LogFields;
}

/**
 * Logs what was thrown as `event` and returns the error's response. The line has the error's `code`, its message as
 * `reason`, its cause described, and as `refusal` what it is counted by if that is not the code. The level is error from
 * status 500 on, else warn. Every route answers an error this way and no other.
 */
export function refuse(log: Log, event: LogEvent, thrown: unknown, { headers, fields }: RefuseOptions = {}): Response {
  const error = toRelayError(thrown);
  const { code, reason, message, status } = error;
  const cause = error.cause === undefined ? {} : describeCause(error.cause);
  const refusal = reason === code ? undefined : reason;
  log[status >= 500 ? "error" : "warn"](event, { ...fields, code, refusal, reason: message, ...cause });
  return errorResponse(error, headers);
}
