import { randomBytes } from "node:crypto";

import type { EnvName } from "#platform/env.ts";

/** What `relay secrets` generates: random texts that no other party gives out. */
const generatedNames = [
  "INSTAGRAM_VERIFY_TOKEN",
  "RELAY_SECRET",
  "OPS_TOKEN",
  "CRON_SECRET",
] as const satisfies readonly EnvName[];

export type GeneratedName = (typeof generatedNames)[number];

/** What a deployment needs besides, and where it is found: at Meta, at the queue, at the provider of Postgres. */
export const foreignVariables = {
  INSTAGRAM_APP_SECRET:
    "Meta's app dashboard: the Instagram app secret for Instagram Login, the Meta app secret for Facebook Login",
  QSTASH_TOKEN: "the QStash console of your region, or Upstash's integration in Vercel's Marketplace",
  QSTASH_URL: "the same place",
  QSTASH_CURRENT_SIGNING_KEY: "the same place",
  QSTASH_NEXT_SIGNING_KEY: "the same place",
  SQS_QUEUE_URL: "the queue's page in the AWS console",
  SQS_ACCESS_KEY_ID: "an access key of a user who may use this queue, from IAM in the AWS console",
  SQS_SECRET_ACCESS_KEY: "the same place",
  CLOUD_TASKS_QUEUE: "gcloud tasks queues describe",
  GOOGLE_SERVICE_ACCOUNT_KEY: "a JSON key of the service account, from the Google Cloud console: the file's whole text",
  QUEUE_REDIS_REST_URL: "the database's page at Upstash, or its integration in Vercel",
  QUEUE_REDIS_REST_TOKEN: "the same place",
  DATABASE_URL: "the provider of Postgres, the pooled connection string, or its integration in Vercel's Marketplace",
} as const satisfies Partial<Record<EnvName, string>>;

/** 256 bits as 43 characters of A-Z a-z 0-9 _ -, which neither a shell nor an .env file changes. */
export function generateSecret(): string {
  return randomBytes(32).toString("base64url");
}

export function isGenerated(name: string): name is GeneratedName {
  return generatedNames.some((known) => known === name);
}
