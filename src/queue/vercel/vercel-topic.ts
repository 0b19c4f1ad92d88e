import type { QueueRoute } from "../queue-route.ts";

/** The topic whose messages Vercel delivers to the route: vercel.json names it as the route's trigger. */
export function vercelTopic(route: QueueRoute): string {
  return `relay-${route}`;
}
