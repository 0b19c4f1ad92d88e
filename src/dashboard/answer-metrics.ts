import type { OpsAccess } from "./ops-access.ts";
import { refuseOps } from "./answer-ops.ts";
import { requireOps } from "./ops-guard.ts";
import { prometheusContentType } from "./prometheus-text.ts";

/** Answers a scrape by a token of any role with what `readMetrics` resolves with. An error is logged and answered as for other operators' requests. */
export async function answerMetrics(
  request: Request,
  access: OpsAccess,
  readMetrics: () => Promise<string>,
): Promise<Response> {
  try {
    await requireOps(request, access, "metrics");
    const headers = { "content-type": prometheusContentType, "cache-control": "no-store" };
    return new Response(await readMetrics(), { headers });
  } catch (thrown) {
    return refuseOps(request, access, thrown);
  }
}
