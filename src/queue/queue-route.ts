/** What a message of a queue is for: the last part of the path of the route that takes it, whichever queue delivers it. */
export const queueRoutes = ["instagram-ingestion", "handlers", "maintenance"] as const;
export type QueueRoute = (typeof queueRoutes)[number];
