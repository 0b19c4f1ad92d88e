import { systemClock } from "#platform/clock.ts";
import { CliFailure } from "#platform/failure.ts";
import { pauseFor } from "#local/pause-for.ts";

import type { CommandContext } from "../command-context.ts";
import { postDelivery } from "../send-deliveries.ts";

export interface SignedDelivery {
  url: string;
  appSecret: string;
  body: Uint8Array;
}

const waitMs = { first: 1_000, growth: 2, max: 30_000 };

/**
 * Delivers until it is acknowledged, so that later events stay behind; null if the command is interrupted before. A body
 * that is too large is skipped. Throws a `CliFailure` if the relay refuses the signature.
 */
export async function deliverPatiently(
  { url, appSecret, body }: SignedDelivery,
  { signal, note }: Pick<CommandContext, "signal" | "note">,
): Promise<{ deliveryId: string | null; skipped: string | null } | null> {
  let lastProblem: string | null = null;
  for (let delayMs = waitMs.first; !signal.aborted; delayMs = Math.min(waitMs.max, delayMs * waitMs.growth)) {
    const { status, deliveryId, error } = await post({ url, appSecret, body });
    if (status === 200) {
      if (lastProblem !== null) note("The relay on this machine takes events again; nothing is left out.");
      return { deliveryId, skipped: null };
    }
    if (status === 413) return { deliveryId: null, skipped: "too large for the relay on this machine" };
    if (status === 401 || status === 404) throw new CliFailure(`${url} answered ${error}`);
    if (error !== lastProblem) note(`${error} Trying again until it is taken …`);
    lastProblem = error;
    await pauseFor(systemClock, delayMs, signal);
  }
  return null;
}

/** No answer is an answer with the status 0. */
async function post({ url, appSecret, body }: SignedDelivery) {
  try {
    return await postDelivery(url, appSecret, body);
  } catch (thrown) {
    if (!(thrown instanceof CliFailure)) throw thrown;
    return { status: 0, deliveryId: null, error: thrown.message };
  }
}
