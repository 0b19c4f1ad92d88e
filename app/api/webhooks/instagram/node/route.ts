import { createWebhookRoutes } from "../webhook.ts";

export const { GET, POST, HEAD, OPTIONS, PUT, PATCH, DELETE } = createWebhookRoutes();
