import * as v from "valibot";

import type { Clock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import { parseJson } from "#platform/parse-json.ts";
import { readBody } from "#platform/read-body.ts";

const limits = { bytesMax: 1_000_000, timeoutMs: 10_000 };
/** A body of a megabyte may have hundreds of thousands. */
const problemsMax = 20;
const placeLengthMax = 100;

/**
 * An operator's request: its JSON body by a schema, an empty body as `{}`. Throws `REQUEST_INVALID` naming the members that
 * are wrong or unknown, the first twenty of them, and for any query parameter: what is overlooked could widen what an operator meant.
 */
export async function readRequest<TSchema extends v.GenericSchema>(
  request: Request,
  schema: TSchema,
  clock: Clock,
): Promise<v.InferOutput<TSchema>> {
  const [parameter] = new URL(request.url).searchParams.keys();
  if (parameter !== undefined) throw invalid([`${parameter} is no parameter of this`]);
  const text = new TextDecoder().decode(await readBody(request, { ...limits, clock }));
  const json = text.trim() === "" ? {} : parseJson(text);
  if (json === undefined) throw invalid(["the body is not JSON"]);
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  const named = result.issues
    .slice(0, problemsMax)
    .map((issue) => `${(v.getDotPath(issue) ?? "the body").slice(0, placeLengthMax)} ${describeIssue(issue)}`);
  const left = result.issues.length - named.length;
  throw invalid(left > 0 ? [...named, `and ${left} more`] : named);
}

/** Valibot's own messages quote what was received, which may be a customer's words. */
function describeIssue({ type, expected, message }: v.BaseIssue<unknown>): string {
  if (type === "strict_object") return expected === "never" ? "is not known" : "is missing";
  return message.startsWith("Invalid") ? `must be ${expected ?? "valid"}` : message;
}

function invalid(problems: readonly string[]): RelayError {
  return new RelayError("REQUEST_INVALID", problems.join("; "));
}
