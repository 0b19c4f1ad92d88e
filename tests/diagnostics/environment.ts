/** A configuration without a mistake, and the helpers to look at what was found. */
import type { Check, Diagnosis } from "#diagnostics/check.ts";

/** Long, different from one another, and found nowhere else. */
export const goodEnvironment = {
  INSTAGRAM_APP_SECRET: "0123456789abcdef0123456789abcdef",
  INSTAGRAM_VERIFY_TOKEN: "verify-token-that-is-only-here",
  QSTASH_TOKEN: "eyJVc2VySUQiOiJvbmx5LWhlcmUifQ==",
  QSTASH_URL: "https://qstash-us-east-1.upstash.io",
  QSTASH_CURRENT_SIGNING_KEY: "sig_current_key_that_is_only_here",
  QSTASH_NEXT_SIGNING_KEY: "sig_next_key_that_is_only_here",
  RELAY_URL: "https://only-here.example",
  RELAY_SECRET: "relay-secret-of-more-than-thirty-two-characters",
  DATABASE_URL: "postgresql://owner:password-only-here@db.example:5432/relay",
  OPS_TOKEN: "ops-token-of-more-than-thirty-two-characters",
};

/** What is not ok, as `name: status detail`. */
export function troubles({ checks }: Diagnosis): string[] {
  return checks
    .filter(({ status }) => status !== "ok")
    .map(({ name, status, detail }) => `${name}: ${status} ${detail}`);
}

export function find({ checks }: Diagnosis, name: string): Check {
  const check = checks.find((one) => one.name === name);
  if (check === undefined) throw new Error(`There is no ${name} among ${checks.map((one) => one.name).join(", ")}`);
  return check;
}

/** Answers for the relay that its drain is awake, and passes on all other requests. */
export const fetchBesideDrain: typeof fetch = (input, init) =>
  typeof input === "string" && input.endsWith("/api/queue/drain")
    ? Promise.resolve(new Response("{}", { status: 202 }))
    : fetch(input, init);
