import { signInternal, internalSignatureHeader } from "#platform/internal-signature.ts";
import { fetchWithin } from "#platform/bounded-fetch.ts";
import { settleWithin, systemClock as clock } from "#platform/clock.ts";
import { type EnvRecord, readEnv } from "#platform/env.ts";
import { drainPath } from "#queue/wake-drain.ts";

/** Less than the time of a drain, which waits for what becomes due within it: so each retry is made to the second. */
const drainEveryMs = 30_000;
/** As QStash's schedule has it. */
const maintenanceEveryMs = 5 * 60_000;
/** Maintenance ends in half of that. */
const timeoutMs = 40_000;

/**
 * Calls the drain and maintenance of the server at `baseUrl`, now and then again and again: for queues that have no schedule.
 * What is not answered is called again at its next turn. Returns a function that stops it. Throws `ENV_INVALID`.
 */
export function startTimers(env: EnvRecord, baseUrl: string): () => Promise<void> {
  const { RELAY_SECRET, CRON_SECRET } = readEnv(env, ["RELAY_SECRET", "CRON_SECRET"]);
  const stopping = new AbortController();
  const drain = async () => {
    const body = new Uint8Array(0);
    const signature = await signInternal(RELAY_SECRET[0], `POST ${drainPath}`, body, clock.nowMs());
    const init = { method: "POST", body, headers: { [internalSignatureHeader]: signature } };
    await fetchWithin(timeoutMs, baseUrl + drainPath, init, { fetch, clock });
  };
  const maintain = async () => {
    const init = { headers: { authorization: `Bearer ${CRON_SECRET}` } };
    await fetchWithin(timeoutMs, `${baseUrl}/api/cron/maintenance`, init, { fetch, clock });
  };
  const timers = [repeat(drain, drainEveryMs, stopping.signal), repeat(maintain, maintenanceEveryMs, stopping.signal)];
  return async () => {
    stopping.abort();
    await Promise.all(timers);
  };
}

async function repeat(call: () => Promise<void>, everyMs: number, stopping: AbortSignal): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    stopping.addEventListener("abort", () => resolve(), { once: true });
  });
  while (!stopping.aborted) {
    // A server that is starting again answers at the next turn; its own log says what is wrong with it.
    await Promise.race([call().catch(() => {}), stopped]);
    await settleWithin(clock, everyMs, stopped);
  }
}
