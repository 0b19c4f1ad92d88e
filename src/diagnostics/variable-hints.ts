import type { EnvName } from "#platform/env.ts";
import { queueNames } from "#platform/queue-name.ts";

import type { Advice } from "./check.ts";

interface VariableHint {
  /** What does not work without it, as a sentence without its full stop, like the others. */
  without?: string;
  /** Where to get it. */
  source?: string;
  /** The form of a value. */
  form?: string;
}

const random = "Set it to a long random text (openssl rand -base64 32)";
const secretForm = "At least 32 characters";
const fromUpstash = "Copy it from the QStash console, for the region of QSTASH_URL";
const fromIam =
  "Create an access key for a user of IAM who may use the queue and nothing else; the names are not AWS's own";
const milliseconds = "a whole number of milliseconds within its limit";

const hints: Readonly<Partial<Record<EnvName, VariableHint>>> = {
  INSTAGRAM_APP_SECRET: {
    without: "Meta's deliveries cannot be verified: the webhook answers 503",
    source:
      "Copy it from Meta's app dashboard: the Instagram app secret for Instagram Login, the Meta app secret for Facebook Login",
    form: "One or more secrets, separated by commas",
  },
  INSTAGRAM_VERIFY_TOKEN: {
    without: "Meta's handshake is answered with 503, so Meta does not accept the callback URL",
    source: `${random}, and enter the same text in the Verify token field at Meta`,
  },
  QUEUE: { form: `one of ${queueNames.join(", ")}` },
  QSTASH_TOKEN: { without: "Nothing can be published: the webhook answers 503", source: fromUpstash },
  QSTASH_URL: { form: "An http(s) base URL such as https://qstash-us-east-1.upstash.io, without query and fragment" },
  QSTASH_CURRENT_SIGNING_KEY: {
    without: "The consumer cannot verify QStash's deliveries: it answers 503",
    source: fromUpstash,
  },
  QSTASH_NEXT_SIGNING_KEY: {
    without: "The consumer cannot verify QStash's deliveries: it answers 503",
    source: fromUpstash,
  },
  RELAY_URL: {
    without: "Messages have no destination, and the consumer cannot verify for which address the queue signed",
    source:
      "Set it to the public base URL. On Vercel it may stay empty if the project exposes its system environment variables",
    form: "An http(s) base URL, or several separated by commas, without query and fragment",
  },
  RELAY_SECRET: {
    without: "The edge cannot call the Node routes: there are no fallback and no reports",
    source: random,
    form: secretForm,
  },
  DATABASE_URL: {
    without: "Nothing can be stored or shown",
    source: "Copy the connection string from the Postgres provider; for serverless functions that of the pooler",
    form: "A Postgres URL (postgresql://user:password@host/database) with a percent-encoded password",
  },
  OPS_TOKEN: {
    without: "No operator can sign in to the dashboard or call /api/ops and these diagnostics",
    source: random,
    form: secretForm,
  },
  OPS_TOKENS: {
    form: "name:role:token, or several separated by commas: a name of a-z, 0-9 and -, but not ops; a role of admin, read, metrics; at least 32 characters; no name and no token twice",
  },
  SQS_QUEUE_URL: {
    without: "No batch can be sent or taken: the webhook answers 503",
    source: "Copy it from the queue's page in the AWS console",
    form: "The queue's address such as https://sqs.eu-central-1.amazonaws.com/123456789012/batches",
  },
  SQS_REGION: {
    without: "No request can be signed, because SQS_QUEUE_URL does not name the region",
    source: "Set it to the queue's region such as eu-central-1",
    form: "A region of AWS such as eu-central-1",
  },
  SQS_ACCESS_KEY_ID: { without: "No request can be signed: the webhook answers 503", source: fromIam },
  SQS_SECRET_ACCESS_KEY: { without: "No request can be signed: the webhook answers 503", source: fromIam },
  SQS_MESSAGE_BYTES_MAX: { form: "A whole number from 1024 to 1048576" },
  QUEUE_REDIS_REST_URL: {
    without: "No batch can be appended or taken: the webhook answers 503",
    source:
      "Copy the REST address from the database's page at Upstash, or connect the database to the project in Vercel",
    form: "An http(s) address; one that begins with redis:// is another protocol",
  },
  QUEUE_REDIS_REST_TOKEN: {
    without: "No batch can be appended or taken: the webhook answers 503",
    source: "Copy the REST token from the database's page at Upstash, not the read-only one",
  },
  QUEUE_REDIS_STREAM: { form: "A key of letters, digits and the characters _ : . { } -" },
  CLOUD_TASKS_QUEUE: {
    without: "No task can be created: the webhook answers 503",
    source: "Copy the queue's name as gcloud tasks queues describe shows it",
    form: "projects/PROJECT/locations/LOCATION/queues/QUEUE",
  },
  GOOGLE_SERVICE_ACCOUNT_KEY: {
    without: "No task can be created, and none that is delivered can be verified",
    source: "Create a JSON key of the service account in the Google Cloud console, and set it to the file's text",
    form: "The whole text of a service account's JSON key file",
  },
  VERCEL_QUEUE_REGION: { form: "A region of Vercel such as iad1" },
  ACK_MODE: { form: "immediate, durable or race:<ms> with at most 4500 ms: Meta waits five seconds" },
  PUBLISH_TIMEOUT_MS: { form: milliseconds },
  PUBLISH_RETRIES: { form: "A whole number from 0 to 10" },
  PUBLISH_BUDGET_MS: { form: milliseconds },
  FALLBACK_BUDGET_MS: { form: milliseconds },
  REPORT_SAMPLE_RATE: { form: "A share from 0 to 1" },
  CRON_SECRET: { form: "At least 16 characters" },
  INGESTION_PARALLELISM: { form: "A whole number from 1 to 10000" },
  HANDLER_TIMEOUT_MS: { form: "A whole number of milliseconds from 1 to 50000" },
  HANDLER_CONCURRENCY: { form: "A whole number from 1 to 50" },
  HANDLER_RETRIES: { form: "A whole number from 0 to 8" },
  UNSENT_MESSAGES: { form: "erase or keep" },
  PAYLOAD_RETENTION_DAYS: { form: "A whole number of days, or 0 to keep payloads for ever" },
  DELIVERY_RETENTION_DAYS: { form: "A whole number of days, at least 1" },
  DATABASE_POOL_MAX: { form: "A whole number from 1 to 100" },
  DRAIN_DELAY_MS: { form: "A whole number of milliseconds, at most 60000" },
  INSTAGRAM_ACCESS_TOKEN: {
    form: "An access token of at least 20 characters, or several as accountId=token, separated by commas, each with its account and no account twice",
  },
  LOG_LEVEL: { form: "debug, info, warn or error" },
  QSTASH_RETRIES: { form: "A whole number from 0 to 1000" },
  WEBHOOK_BODY_BYTES_MAX: { form: "A whole number of bytes, at most 100000000" },
};

/** Why a variable that is absent is needed, and where to get it. */
export function adviseMissing(name: EnvName): Advice {
  const { without, source } = hints[name] ?? {};
  return {
    cause: `${without ?? "A route needs it"}.`,
    remedy: `${source ?? "Set it as the table in README.md describes"}.`,
  };
}

/** The form that the value of a variable must have. */
export function adviseMalformed(name: EnvName): Advice {
  const form = hints[name]?.form;
  return {
    cause:
      form === undefined ? "It does not have the form that the table in README.md describes." : `It must be: ${form}.`,
    remedy: "Correct it. Until then every route that needs it answers 503.",
  };
}
