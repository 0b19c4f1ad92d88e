import type { CommandContext } from "./command-context.ts";
import { CliFailure } from "#platform/failure.ts";
import { parseJson } from "#platform/parse-json.ts";
import { fetchOrFail } from "./fetch-or-fail.ts";

const limitMs = 15_000;

/** `GET /api/ops/<path>` of the relay, with the token; throws the sentence for anything but 200. */
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
  if (status === 401) throw new CliFailure(`${url.origin} refuses the OPS_TOKEN: it is not this relay's.`);
  const message = (body as { error?: { message?: unknown } } | undefined)?.error?.message;
  throw new CliFailure(`${url.origin} answered ${status}${typeof message === "string" ? `: ${message}.` : "."}`);
}
