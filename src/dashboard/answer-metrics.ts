import { promisify } from "node:util";
import { gzip } from "node:zlib";

import type { OpsAccess } from "./ops-access.ts";
import { refuseOps } from "./answer-ops.ts";
import { findCaller, requireRole } from "./ops-guard.ts";
import { noParameters, parseQuery } from "./query-parameters.ts";
import { prometheusContentType } from "./prometheus-text.ts";

export interface AnswerMetricsOptions {
  readMetrics: () => Promise<string>;
  /** Begins what may go on after the answer. Never rejects. */
  afterwards: () => Promise<void>;
}

/**
 * Answers a scrape by a token of any role with the metrics, and then goes on with `afterwards`. An error is logged and
 * answered as for other operators' requests.
 */
export async function answerMetrics(
  request: Request,
  access: OpsAccess,
  { readMetrics, afterwards }: AnswerMetricsOptions,
): Promise<Response> {
  try {
    requireRole(await findCaller(request, access), "metrics");
    parseQuery(noParameters, new URL(request.url).searchParams);
    const text = await readMetrics();
    await afterwards();
    return await respond(text, request.headers.get("accept-encoding") ?? "");
  } catch (thrown) {
    return refuseOps(request, access, thrown);
  }
}

const compress = promisify(gzip);

/** Compressed here if the scraper accepts it: gzip's first level is a third of the work of the default one, which Next uses. */
async function respond(text: string, accepted: string): Promise<Response> {
  const headers = { "content-type": prometheusContentType, "cache-control": "no-store", vary: "accept-encoding" };
  if (!acceptsGzip(accepted)) return new Response(text, { headers });
  return new Response(await compress(text, { level: 1 }), { headers: { ...headers, "content-encoding": "gzip" } });
}

function acceptsGzip(accepted: string): boolean {
  return accepted.split(",").some((coding) => {
    const [name = "", quality = "q=1"] = coding.split(";").map((part) => part.trim().toLowerCase());
    return name === "gzip" && Number(quality.replace("q=", "")) > 0;
  });
}
