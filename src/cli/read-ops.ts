import { deploymentProtectionAdvice, isDeploymentProtection } from "#diagnostics/deployment-protection.ts";
import type { Answer } from "#platform/bounded-fetch.ts";
import { CliFailure } from "#platform/failure.ts";
import { parseJson } from "#platform/parse-json.ts";
import { parseUrl } from "#platform/parse-url.ts";
import { protectionBypass } from "#platform/protection-bypass.ts";

import type { CommandContext } from "./command-context.ts";
import { fetchOrFail } from "./fetch-or-fail.ts";

const limitMsUsual = 15_000;

/** A relay, and the right to ask it. */
export interface OpsPlace {
  baseUrl: string;
  token: string;
  /** The variables that hold the address and the token, for advice. */
  names: { url: string; token: string };
  bypassSecret: string | null;
  signal: AbortSignal;
  /** Less than a page of events needs, where something else may answer. */
  answerBytesMax?: number;
}

export interface OpsRequest {
  query?: Record<string, string | undefined>;
  body?: unknown;
  /** How long the answer may take; 15 s unless given. */
  limitMs?: number;
}

type Method = "GET" | "POST" | "DELETE";

/** The relay answered that it does not do what was asked. */
export class RelayRefusal extends CliFailure {
  readonly status: number;
  readonly code: string | null;

  constructor(message: string, status: number, code: string | null) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The JSON of `GET /api/ops/<path>`, asked with OPS_TOKEN. Throws what `askOps` throws. */
export function readOps<T>(context: CommandContext, path: string, query: OpsRequest["query"] = {}): Promise<T> {
  return askOps(context, "GET", path, { query });
}

/** The JSON of a request to `/api/ops/<path>` with OPS_TOKEN. Throws what `askPlace` throws. */
export function askOps<T>(context: CommandContext, method: Method, path: string, request: OpsRequest = {}): Promise<T> {
  const place: OpsPlace = {
    baseUrl: context.baseUrl(),
    token: context.secret("OPS_TOKEN"),
    names: { url: "RELAY_URL", token: "OPS_TOKEN" },
    bypassSecret: context.variable("VERCEL_AUTOMATION_BYPASS_SECRET") ?? null,
    signal: context.signal,
  };
  return askPlace(place, method, path, request);
}

/**
 * The JSON of a request to `/api/ops/<path>` of a relay. Throws a `CliFailure` with one sentence if there is no answer within
 * the limit, and a `RelayRefusal` for every status but 2xx and for what is no JSON.
 */
export async function askPlace<T>(
  place: OpsPlace,
  method: Method,
  path: string,
  { query = {}, body, limitMs = limitMsUsual }: OpsRequest = {},
): Promise<T> {
  const { token, bypassSecret, names, signal, answerBytesMax } = place;
  const url = new URL(`${place.baseUrl}/api/ops/${path}`);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
  const headers = { authorization: `Bearer ${token}`, ...protectionBypass(bypassSecret) };
  const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
  const answer = await fetchOrFail(url.href, init, {
    limitMs,
    signal,
    variable: names.url,
    ...(answerBytesMax === undefined ? {} : { answerBytesMax }),
  });
  const { status } = answer;
  const value = parseJson(answer.text);
  if (status >= 200 && status < 300 && value !== undefined) return value as T;
  const { code, message } = (value as { error?: { code?: string; message?: string } } | undefined)?.error ?? {};
  throw new RelayRefusal(explain(place, url, answer, message), status, code ?? null);
}

function explain({ names }: OpsPlace, { origin }: URL, answer: Answer, message: string | undefined): string {
  const { status, headers, text } = answer;
  if (isDeploymentProtection({ status, headers: new Map(headers), text })) {
    return `${origin}: ${deploymentProtectionAdvice.cause} ${deploymentProtectionAdvice.remedy}`;
  }
  if (status >= 300 && status < 400) {
    const there = parseUrl(headers.get("location") ?? "", origin)?.origin ?? "another address";
    return `${origin} redirects to ${there}: set ${names.url} to that address.`;
  }
  if (typeof message !== "string") {
    if (status >= 500) {
      return `${origin} answered ${status} without the relay's JSON: its code does not run, or a proxy before it reports a fault. npm run dev prints what does not compile.`;
    }
    const what = /^\s*</.test(text) ? "a page" : "a text";
    return `${origin} answered ${status} with ${what} instead of JSON: another server answers there, or an older version of the relay. Set ${names.url} to the relay's address.`;
  }
  if (status === 401) return `${origin} refuses ${names.token}: set it to a token of this relay.`;
  return `${origin} answered ${status}: ${message}.`;
}
