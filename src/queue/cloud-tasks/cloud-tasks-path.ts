import type { QueueRoute } from "../queue-route.ts";

/** The path at which Cloud Tasks calls the route. */
export function cloudTasksPath(route: QueueRoute): string {
  return `/api/cloud-tasks/${route}`;
}
