import { continueTrace } from "#tracing/continue-trace.ts";

import { createWebhookRoutes } from "../webhook.ts";

const routes = createWebhookRoutes();

export const { GET, HEAD, OPTIONS, PUT, PATCH, DELETE } = routes;
export const POST = continueTrace(routes.POST);
