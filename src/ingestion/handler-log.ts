import type { HandlerLog, HandlerLogFields } from "#handlers/handler.ts";
import type { Log, LogLevel } from "#platform/log.ts";

const nameLengthMax = 100;
const fieldsMax = 20;
const textLengthMax = 300;

/**
 * The log for a handler: its lines are `handler.log` with the handler's own `name` and `fields`, which therefore cannot
 * collide with ours. Only short text, numbers and booleans are written; an error or an object, which may hold a
 * customer's words, is written as its type. Never throws.
 */
export function createHandlerLog(log: Log): HandlerLog {
  const at =
    (level: LogLevel) =>
    (name: string, fields: HandlerLogFields = {}) => {
      const ownName = typeof name === "string" ? cut(name, nameLengthMax) : typeof name;
      log[level]("handler.log", { name: ownName, fields: readFields(fields) });
    };
  return { info: at("info"), warn: at("warn"), error: at("error") };
}

function readFields(fields: HandlerLogFields): HandlerLogFields {
  try {
    const entries = Object.entries(fields).slice(0, fieldsMax);
    return Object.fromEntries(entries.map(([name, value]) => [cut(name, nameLengthMax), readValue(value)]));
  } catch {
    return {};
  }
}

function readValue(value: unknown): HandlerLogFields[string] {
  if (typeof value === "string") return cut(value, textLengthMax);
  return typeof value === "number" || typeof value === "boolean" || value === null ? value : `[${typeof value}]`;
}

function cut(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax)}…`;
}
