/**
 * The broker of the product in the given folder, in a process of its own so that its CPU time can be told from others'.
 * Migrates the product's database first. See way-product.ts.
 */
import { randomUUID } from "node:crypto";
import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { systemClock } from "#platform/clock.ts";
import { createLog } from "#platform/log.ts";

const [, , folder = "", storeUrl = "", databaseUrl = "", token = "", currentSigningKey = "", nextSigningKey = ""] =
  process.argv;

/** From that folder: another release may have another broker. */
const load = <Module>(path: string) => import(pathToFileURL(join(folder, path)).href) as Promise<Module>;

const { migrateStore } = await load<typeof import("#store/migrate.ts")>("src/store/migrate.ts");
await migrateStore(storeUrl);
const { startBroker } = await load<typeof import("#broker/broker.ts")>("src/broker/broker.ts");
// As `npm start` does, into a file and at once.
const log = openSync(process.env["BROKER_LOG"] ?? "/dev/null", "a");
// Early releases did not take it from the global object.
const early = { fetch: globalThis.fetch };
const broker = await startBroker({
  ...early,
  token,
  currentSigningKey,
  nextSigningKey,
  databaseUrl,
  host: "127.0.0.1",
  port: 0,
  clock: systemClock,
  newId: randomUUID,
  log: createLog({ clock: systemClock, write: (_level, line) => void writeSync(log, `${line}\n`) }),
});
broker.startDispatching();

process.on("disconnect", () => process.exit());
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ answer: { url: broker.url, cpuMs: (user + system) / 1_000 } });
});
process.send?.({ ready: true });
