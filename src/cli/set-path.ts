import { CliFailure } from "#platform/failure.ts";
import { parseJson } from "#platform/parse-json.ts";

/**
 * Applies `--set entry.0.messaging.0.message.text=hi` to a payload. A string stays a string, because ids are strings of
 * digits; otherwise a value that is JSON is read as JSON and every other one as text. Throws a `CliFailure` for a path that
 * the payload does not have.
 */
export function setPath(payload: unknown, assignment: string): void {
  const [, path, text] = /^([^=]+)=(.*)$/s.exec(assignment) ?? [];
  if (path === undefined || text === undefined) throw new CliFailure(`--set takes path=value, not "${assignment}".`);
  const names = path.split(".");
  const last = names.pop() ?? "";
  let holder: unknown = payload;
  for (const name of names) holder = step(holder, name, path);
  if (typeof holder !== "object" || holder === null || last === "__proto__") throw noSuchPath(path);
  const container = holder as Record<string, unknown>;
  const isString = Object.hasOwn(container, last) && typeof container[last] === "string";
  const value = isString ? undefined : parseJson(text);
  container[last] = value === undefined ? text : value;
}

function step(holder: unknown, name: string, path: string): unknown {
  if (typeof holder !== "object" || holder === null || !Object.hasOwn(holder, name)) throw noSuchPath(path);
  return (holder as Record<string, unknown>)[name];
}

function noSuchPath(path: string): CliFailure {
  return new CliFailure(`--set ${path}: the payload has no such path.`);
}
