import type { QueueRoute } from "../queue-route.ts";

/** The path of the route that takes the topic's messages: the file's place makes it, and vercel.json names that file. */
export function vercelPath(route: QueueRoute): string {
  return `/api/vercel/${route}`;
}
