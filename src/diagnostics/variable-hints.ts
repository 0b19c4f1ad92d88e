import type { EnvName } from "#platform/env.ts";

import type { Advice } from "./check.ts";

interface VariableHint {
  /** What does not work without it. */
  without?: string;
  /** Where to get it. */
  source?: string;
  /** What a value has to look like. */
  form?: string;
}

const random = "Set it to a long random text (openssl rand -base64 32)";
const secretForm = "At least 32 characters";
const fromUpstash = "Copy it from the QStash console, for the region of QSTASH_URL";
const milliseconds = "a whole number of milliseconds within its limit";

const hints: Readonly<Partial<Record<EnvName, VariableHint>>> = {
  INSTAGRAM_APP_SECRET: {
    without: "No delivery of Meta's can be verified: the webhook answers 503",
    source:
      "Copy it from Meta's app dashboard: the Instagram app secret for Instagram Login, the Meta app secret for Facebook Login",
    form: "One or more secrets, separated by commas",
  },
  INSTAGRAM_VERIFY_TOKEN: {
    without: "Meta's handshake is answered with 503: the callback URL cannot be entered at Meta",
    source: `${random}; the same goes into the Verify token field at Meta`,
  },
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
    without: "QStash cannot be told where to deliver, and the consumer cannot check what was signed for it",
    source:
      "Set it to the public base URL; on Vercel it may stay empty if the project exposes its system environment variables",
    form: "An http(s) base URL, or several separated by commas, without query and fragment",
  },
  RELAY_SECRET: {
    without: "The edge cannot call the Node routes: no fallback, no reports",
    source: random,
    form: secretForm,
  },
  DATABASE_URL: {
    without: "Nothing can be stored or shown",
    source: "Copy the connection string from the Postgres provider; to a serverless function give the pooler's",
    form: "A Postgres URL (postgresql://user:password@host/database), with its password percent-encoded",
  },
  OPS_TOKEN: {
    without: "Nobody can sign in to the dashboard or call /api/ops and these diagnostics",
    source: random,
    form: secretForm,
  },
  ACK_MODE: { form: "immediate, durable or race:<ms> with at most 4500 ms: Meta waits five seconds" },
  PUBLISH_TIMEOUT_MS: { form: milliseconds },
  PUBLISH_RETRIES: { form: "A whole number from 0 to 10" },
  PUBLISH_BUDGET_MS: { form: milliseconds },
  FALLBACK_BUDGET_MS: { form: milliseconds },
  REPORT_SAMPLE_RATE: { form: "A share from 0 to 1" },
  DATABASE_POOL_MAX: { form: "A whole number from 1 to 100" },
  QSTASH_RETRIES: { form: "A whole number from 0 to 1000" },
  WEBHOOK_BODY_BYTES_MAX: { form: "A whole number of bytes, at most 100000000" },
};

/** Why a variable that is absent is needed, and where to get it. */
export function adviseMissing(name: EnvName): Advice {
  const { without, source } = hints[name] ?? {};
  return { cause: `${without ?? "A route needs it"}.`, remedy: `${source ?? "Set it as the README's table says"}.` };
}

/** What form the value of a variable must have. */
export function adviseMalformed(name: EnvName): Advice {
  const form = hints[name]?.form;
  return {
    cause: form === undefined ? "It does not have the form of the README's table." : `It has to be: ${form}.`,
    remedy: "Correct it. Until then each route that needs it answers 503.",
  };
}
