import { createNodeSignatureVerifier } from "#ingestion/node-signature-verifier.ts";
import { readKeptFetch } from "#platform/kept-fetch.ts";
import { continueTrace } from "#tracing/continue-trace.ts";

import { createWebhookRoutes } from "../webhook.ts";

const routes = createWebhookRoutes({ createVerifier: createNodeSignatureVerifier, fetch: readKeptFetch() });

export const { GET, HEAD, OPTIONS, PUT, PATCH, DELETE } = routes;
export const POST = continueTrace(routes.POST);
