import { fetchWithin, type Network, TimeoutError } from "#platform/bounded-fetch.ts";
import { type Runtime, runtimes } from "#platform/delivery.ts";
import { protectionBypass } from "#platform/protection-bypass.ts";

import type { SignedProbe } from "./probe.ts";

/** A probe was answered as something else, or its address cannot be reached. The message says what happened. */
export class ProbeFailure extends Error {
  override readonly name = "ProbeFailure";
}

/** What a genuine probe's `Server-Timing` says. */
export interface HandlerTiming {
  handlerMs: number;
  region: string | null;
  deployment: string | null;
  coldStart: boolean;
  /** Null for a release that does not say it. */
  runtime: Runtime | null;
}

export interface ProbeAnswer extends HandlerTiming {
  ms: number;
  deliveryId: string | null;
}

export interface ProbeTarget extends Network {
  /** The relay's base URL. */
  baseUrl: string;
  /** Lets the probe pass Vercel's Deployment Protection; null without it. */
  bypassSecret: string | null;
}

const paths: Record<Runtime, string> = {
  edge: "/api/webhooks/instagram",
  nodejs: "/api/webhooks/instagram/node",
};

/**
 * Sends a probe to one of the two routes and times the whole answer. Null if none came within `timeoutMs`: that is a
 * measurement, too. Throws `ProbeFailure` for any answer but a probe's.
 */
export async function sendProbe(
  runtime: Runtime,
  { body, headers }: SignedProbe,
  timeoutMs: number,
  { baseUrl, bypassSecret, ...network }: ProbeTarget,
): Promise<ProbeAnswer | null> {
  const init = { method: "POST", body, headers: { ...headers, ...protectionBypass(bypassSecret) } };
  const startedAt = network.clock.monotonicMs();
  try {
    const answer = await fetchWithin(timeoutMs, baseUrl + paths[runtime], init, network);
    const ms = network.clock.monotonicMs() - startedAt;
    const timing = parseHandlerTiming(answer.headers.get("server-timing"));
    if (answer.status === 200 && timing !== null)
      return { ms, ...timing, deliveryId: answer.headers.get("x-delivery-id") };
    const what = answer.status === 200 ? "200, but not as to a probe" : String(answer.status);
    throw new ProbeFailure(`${paths[runtime]} answered ${what}`);
  } catch (thrown) {
    if (thrown instanceof TimeoutError) return null;
    if (thrown instanceof ProbeFailure) throw thrown;
    throw new ProbeFailure(`${paths[runtime]} cannot be reached`, { cause: thrown });
  }
}

/**
 * Opens the connection on which the probes go: else the first of a pair would pay for it. A static file calls neither of
 * the two functions. Never rejects.
 */
export async function openConnection(timeoutMs: number, { baseUrl, ...network }: ProbeTarget): Promise<void> {
  await fetchWithin(timeoutMs, `${baseUrl}/icon.svg`, {}, network).catch(() => {});
}

/**
 * Reads the metric `handler` of a `Server-Timing` header, in which a proxy may have added others: its duration, and as
 * its description region, deployment, whether it started cold, and the runtime. Null if it is not there.
 * https://www.w3.org/TR/server-timing/#the-server-timing-header-field
 */
export function parseHandlerTiming(header: string | null): HandlerTiming | null {
  const [, duration, description = ""] =
    /(?:^|,)\s*handler;dur=([\d.e+-]{1,30});desc="([^"]{0,300})"/.exec(header ?? "") ?? [];
  const [region = "", deployment = "", coldStart, ran] = description.split(",");
  const handlerMs = Number(duration ?? Number.NaN);
  if (!(handlerMs >= 0) || (coldStart !== "true" && coldStart !== "false")) return null;
  const runtime = runtimes.find((name) => name === ran) ?? null;
  return {
    handlerMs,
    region: region || null,
    deployment: deployment || null,
    coldStart: coldStart === "true",
    runtime,
  };
}
