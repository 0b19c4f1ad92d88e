/** A bare Hono app with the receiver, the same on every runtime. */
import { Hono } from "hono";

import { createReceiver } from "#receiver/index.ts";

import { path, secrets, verifyToken } from "./hono-settings.ts";

const keys = new Set<string>();
const receive = createReceiver({
  appSecrets: secrets,
  verifyToken,
  onEvents: (events) => {
    for (const { key } of events) keys.add(key);
  },
  log: () => {},
});

const app = new Hono();
app.all(path, (context) => receive(context.req.raw));
/** How many different events were given to `onEvents`. */
app.get("/count", (context) => context.text(String(keys.size)));

export default { fetch: (request: Request) => app.fetch(request) };
