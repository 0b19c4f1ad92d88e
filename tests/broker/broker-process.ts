/** A broker in a process of its own, to be killed. Its argument is a database's address; it prints its own. */
import { randomUUID } from "node:crypto";

import { startBroker } from "#broker/broker.ts";
import { systemClock } from "#platform/clock.ts";
import { createLog } from "#platform/log.ts";

const [, , databaseUrl = ""] = process.argv;
const broker = await startBroker({
  token: "test-token",
  currentSigningKey: "sig_current",
  nextSigningKey: "sig_next",
  databaseUrl,
  host: "127.0.0.1",
  port: 0,
  clock: systemClock,
  newId: randomUUID,
  log: createLog({ clock: systemClock, write: () => {} }),
});
broker.startDispatching();
process.stdout.write(`${broker.url}\n`);
