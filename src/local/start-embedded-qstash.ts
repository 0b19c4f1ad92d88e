import { randomUUID } from "node:crypto";
import { join } from "node:path";

import type { Broker } from "#broker/broker.ts";
import { settleWithin, systemClock } from "#platform/clock.ts";
import type { EnvRecord } from "#platform/env.ts";
import { createLog } from "#platform/log.ts";

import { aborted } from "./aborted.ts";
import { readBrokerLimits } from "./broker-limits.ts";
import { openLogFile } from "./log-file.ts";
import type { QStashCredentials } from "./qstash-credentials.ts";
import type { ServerLifetime } from "./server-lifetime.ts";
import { valueOf } from "./settings.ts";

export interface StartEmbeddedQstashOptions extends QStashCredentials {
  /** A database of its own. */
  databaseUrl: string;
  host: string;
  port: number;
  /** May set limits of the plan, see `readBrokerLimits`. */
  env: EnvRecord;
}

const stopLimitMs = 10_000;

/**
 * Starts the embedded QStash. It accepts messages at once and delivers none until `startDispatching`. Throws what
 * `readBrokerLimits` and the broker throw.
 */
export async function startEmbeddedQstash(
  { dataDir, follow, step, teardown }: ServerLifetime,
  { env, ...options }: StartEmbeddedQstashOptions,
): Promise<Broker> {
  const limits = readBrokerLimits(env);
  const log = openLogFile(join(dataDir, "broker.log"), { follow });
  teardown.add("QStash's log", () => log.close());
  return step("QStash on this machine", async () => {
    // Loaded here: it takes longer than starting Postgres, and the caller may begin to load it before.
    const { startBroker } = await import("#broker/broker.ts");
    const broker = await startBroker({
      ...options,
      clock: systemClock,
      newId: randomUUID,
      limits,
      log: createLog({
        clock: systemClock,
        level: valueOf(env, "LOG_LEVEL"),
        write: (_level, line) => log.write(line),
      }),
    });
    teardown.add("QStash on this machine", (hurry) => untilHurry(broker.stop(), hurry));
    return broker;
  });
}

/** Delivers what is due from now on. When stopping, this is the first to stop: the server would refuse deliveries. */
export function startDispatching({ teardown }: ServerLifetime, broker: Broker): void {
  broker.startDispatching();
  teardown.add("dispatching", (hurry) => untilHurry(broker.stopDispatching(), hurry));
}

/** Waits for the work, at most ten seconds and not beyond an aborted `hurry`. */
async function untilHurry(work: Promise<void>, hurry: AbortSignal): Promise<void> {
  await settleWithin(systemClock, stopLimitMs, Promise.race([work, aborted(hurry)]));
}
