import type { CommandContext } from "./command-context.ts";
import { CliFailure } from "#platform/failure.ts";
import { parseJson } from "#platform/parse-json.ts";
import { fetchOrFail } from "./fetch-or-fail.ts";

const limitMs = 15_000;

/** The JSON of `GET /api/ops/<path>`, asked with OPS_TOKEN. Throws what `askOps` throws. */
export async function readOps<T>(
  context: CommandContext,
  path: string,
  query: Record<string, string | undefined> = {},
): Promise<T> {
  return askOps(context, "GET", path, { query });
}

/**
 * The JSON of a request to `/api/ops/<path>` with OPS_TOKEN. Throws a `CliFailure` with the relay's reason for every status
 * but 2xx; waits at most 15 s.
 */
export async function askOps<T>(
  context: CommandContext,
  method: "GET" | "POST" | "DELETE",
  path: string,
  { query = {}, body }: { query?: Record<string, string | undefined>; body?: unknown } = {},
): Promise<T> {
  const token = context.secret("OPS_TOKEN");
  const url = new URL(`${context.baseUrl()}/api/ops/${path}`);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
  const init: RequestInit = { method, headers: { authorization: `Bearer ${token}` } };
  if (body !== undefined) init.body = JSON.stringify(body);
  const { status, text } = await fetchOrFail(url.href, init, limitMs);
  const answer = parseJson(text);
  if (status >= 200 && status < 300 && answer !== undefined) return answer as T;
  if (status === 401)
    throw new CliFailure(`${url.origin} refuses OPS_TOKEN: set OPS_TOKEN to the token of this relay.`);
  const message = (answer as { error?: { message?: unknown } } | undefined)?.error?.message;
  throw new CliFailure(`${url.origin} answered ${status}${typeof message === "string" ? `: ${message}.` : "."}`);
}
