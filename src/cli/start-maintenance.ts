import { askQstash } from "#queue/qstash/ask-qstash.ts";
import { ensureSchedule } from "#operations/maintenance-schedule.ts";
import { systemClock } from "#platform/clock.ts";
import { type EnvRecord, readEnv } from "#platform/env.ts";
import { createQstashApi } from "#platform/qstash-api.ts";

const timeoutMs = 5_000;

/**
 * Has QStash call maintenance every five minutes, and once soon: what an earlier start left behind need not wait for the
 * schedule. `env` is the environment of the server. Throws `ENV_INVALID` and `QSTASH_UNAVAILABLE`.
 */
export async function startMaintenance(env: EnvRecord): Promise<void> {
  const names = ["QSTASH_URL", "QSTASH_TOKEN", "RELAY_URL", "VERCEL_AUTOMATION_BYPASS_SECRET"] as const;
  const { QSTASH_URL: url, QSTASH_TOKEN: token, ...relay } = readEnv(env, names);
  const [relayUrl] = relay.RELAY_URL;
  const api = createQstashApi({ url, token, timeoutMs, fetch, clock: systemClock });
  await ensureSchedule(api, { relayUrl, bypassSecret: relay.VERCEL_AUTOMATION_BYPASS_SECRET });
  await askQstash(api, "POST", `/v2/publish/${relayUrl}/api/qstash/maintenance`, {
    "upstash-method": "POST",
    "upstash-retries": "0",
    "upstash-label": "maintenance",
  });
}
