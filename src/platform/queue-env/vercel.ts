import { optional, parseBaseUrl, token, type Variable } from "../webhook-env.ts";

const region: Variable<string> = { parse: (value) => (/^[a-z]{2,5}\d{1,2}$/.test(value) ? value : undefined) };

/** What sending to Vercel Queues needs. */
export const vercelPublisherVariables = {
  VERCEL_QUEUE_REGION: { ...region, fallback: () => "iad1" },
  VERCEL_QUEUE_URL: optional({ parse: parseBaseUrl }),
  VERCEL_OIDC_TOKEN: optional(token),
  VERCEL_DEPLOYMENT_ID: optional(token),
};
