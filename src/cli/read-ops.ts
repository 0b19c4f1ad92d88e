import type { CommandContext } from "./command-context.ts";
import { CliFailure } from "#platform/failure.ts";
import { parseJson } from "#platform/parse-json.ts";
import { fetchOrFail } from "./fetch-or-fail.ts";

const limitMs = 15_000;

/** The JSON of `GET /api/ops/<path>`, asked with OPS_TOKEN. Throws a `CliFailure` for every status but 200; waits at most 15 s. */
export async function readOps<T>(
  context: CommandContext,
  path: string,
  query: Record<string, string | undefined> = {},
): Promise<T> {
  const token = context.secret("OPS_TOKEN");
  const url = new URL(`${context.baseUrl()}/api/ops/${path}`);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
  const { status, text } = await fetchOrFail(url.href, { headers: { authorization: `Bearer ${token}` } }, limitMs);
  const body = parseJson(text);
  if (status === 200 && body !== undefined) return body as T;
  if (status === 401)
    throw new CliFailure(`${url.origin} refuses OPS_TOKEN: set OPS_TOKEN to the token of this relay.`);
  const message = (body as { error?: { message?: unknown } } | undefined)?.error?.message;
  throw new CliFailure(`${url.origin} answered ${status}${typeof message === "string" ? `: ${message}.` : "."}`);
}
