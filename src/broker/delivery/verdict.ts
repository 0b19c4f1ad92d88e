import { retryDelayMs } from "./backoff.ts";
import type { Attempt, Verdict } from "../store/settlement.ts";
import type { Limits } from "../limits.ts";
import type { Message } from "../message.ts";

/** What becomes of a message after an attempt that ended at `nowMs`. Only 2xx is success: a redirect is a failure, too. */
export function judge(message: Message, { response }: Attempt, nowMs: number, limits: Limits): Verdict {
  if (response && response.status >= 200 && response.status < 300) return { state: "delivered" };
  if (message.retried >= message.maxRetries || isNonRetryable(response)) return { state: "dead" };
  const delayMs = retryDelayMs({ message, header: response?.header ?? {}, nowMs, delayMsMax: limits.delayMsMax });
  return { state: "waiting", dueAtMs: nowMs + delayMs };
}

/** QStash's documentation names the status and the header only together, so both are asked for. */
function isNonRetryable(response: Attempt["response"]): boolean {
  return response?.status === 489 && response.header["Upstash-Nonretryable-Error"]?.[0]?.toLowerCase() === "true";
}
