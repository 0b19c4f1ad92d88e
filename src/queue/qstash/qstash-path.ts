import type { QueueRoute } from "../queue-route.ts";

/** The path at which QStash calls the route. */
export function qstashPath(route: QueueRoute): string {
  return `/api/qstash/${route}`;
}
