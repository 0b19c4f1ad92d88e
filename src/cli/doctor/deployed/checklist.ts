import { type Check, type Finding, roundMs } from "#diagnostics/check.ts";
import { explainNetwork, networkCodeOf } from "#diagnostics/explain-network.ts";
import { type Answer, fetchWithin, type Network, TimeoutError } from "#platform/bounded-fetch.ts";
import { parseUrl } from "#platform/parse-url.ts";

import { userAgent } from "../../fetch-or-fail.ts";

/** A part of the checklist. */
export interface ChecklistGroup {
  title: string;
  checks: Check[];
}

/** A deployed relay, seen from outside. */
export interface DeployedRelay extends Network {
  /** Without a slash at the end. */
  baseUrl: string;
}

interface Request {
  method?: "POST";
  headers?: Record<string, string>;
  body?: string;
}

const limitMs = 10_000;

/** One request as a stranger makes it: without a token and without what passes Deployment Protection. Follows no redirect. */
export function ask(url: string, relay: Network, init: Request = {}): Promise<Answer> {
  return fetchWithin(limitMs, url, { ...init, headers: { "user-agent": userAgent, ...init.headers } }, relay);
}

/** A check with its duration. What `run` rejects with becomes a failed check: the address could not be reached. */
export async function examine(name: string, { clock }: Network, run: () => Promise<Finding>): Promise<Check> {
  const startedAt = clock.monotonicMs();
  const finding = await run().catch((error: unknown): Finding => {
    const detail = error instanceof TimeoutError ? `no answer within ${limitMs / 1000} s` : networkCodeOf(error);
    return { status: "failed", detail, ...explainNetwork(error, { variable: "--deployed" }) };
  });
  return { name, durationMs: roundMs(clock.monotonicMs() - startedAt), ...finding };
}

/** A check that was not tried, and why. */
export function skipped(name: string, why: string): Check {
  return { name, status: "skipped", detail: why };
}

/** Where a redirect leads, without its query; the detail and advice of a check show it. */
export function targetOf(answer: Answer, from: string): string {
  const target = parseUrl(answer.headers.get("location") ?? "", from);
  return target === null ? "another address" : `${target.origin}${target.pathname}`;
}

export function isRedirect({ status }: Answer): boolean {
  return status >= 300 && status < 400;
}
