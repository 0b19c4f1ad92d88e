import { createWebhookRoutes } from "./webhook.ts";

// Decision 0001: deleting this line moves the webhook to Node.
export const runtime = "edge";

export const { GET, POST, HEAD, OPTIONS, PUT, PATCH, DELETE } = createWebhookRoutes();
