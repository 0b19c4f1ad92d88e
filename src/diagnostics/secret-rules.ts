import type { EnvRecord } from "#platform/env.ts";

import { hostOf, isLoopback } from "./hosts.ts";
import { itemsOf, type VariableRule } from "./variable-rule.ts";

const signingKeys = ["QSTASH_CURRENT_SIGNING_KEY", "QSTASH_NEXT_SIGNING_KEY"];
/** Each is known to another party: Meta, a browser, our own edge. */
const apartSecrets = ["INSTAGRAM_APP_SECRET", "INSTAGRAM_VERIFY_TOKEN", "RELAY_SECRET", "OPS_TOKEN"];

/**
 * What everybody knows: the first user of QStash's development server.
 * https://upstash.com/docs/qstash/howto/local-development
 */
const publicCredentials = new Set([
  "eyJVc2VySUQiOiJkZWZhdWx0VXNlciIsIlBhc3N3b3JkIjoiZGVmYXVsdFBhc3N3b3JkIn0=",
  "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r",
  "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs",
]);

const anewFromUpstash = "Copy it again from the QStash console, whole and of the right region.";

/** Secrets of the wrong kind, or not secret. */
export const secretRules: readonly VariableRule[] = [
  {
    of: ["INSTAGRAM_APP_SECRET"],
    status: "failed",
    detail: "set to an access token",
    cause: "A token that begins with IGAA or EAA calls Meta's API; deliveries are signed with the app secret.",
    remedy: "Copy the app secret from Meta's app dashboard; both products' secrets may be given, separated by a comma.",
    matches: (value) => itemsOf(value).some((item) => /^(IG|EAA)/.test(item)),
  },
  {
    of: ["INSTAGRAM_APP_SECRET"],
    status: "failed",
    detail: "set to an app id",
    cause: "A number is the app's or an account's id, which is public.",
    remedy: "Copy the app secret, which stands beside it in Meta's app dashboard.",
    matches: (value) => itemsOf(value).some((item) => /^\d{1,20}$/.test(item)),
  },
  {
    of: ["INSTAGRAM_APP_SECRET"],
    status: "warning",
    detail: "set, but not to 32 hex digits",
    cause: "Meta's app secrets are 32 hex digits: a part is missing, or this is something else.",
    remedy: "Copy the app secret again from Meta's app dashboard.",
    matches: (value) => itemsOf(value).some((item) => !/^(IG|EAA|\d{1,20}$|[0-9a-f]{32}$)/.test(item)),
  },
  {
    of: ["QSTASH_TOKEN"],
    status: "failed",
    detail: "set to a signing key",
    cause: "What begins with sig_ verifies QStash's deliveries; it does not let anybody publish.",
    remedy: "Copy QSTASH_TOKEN from the QStash console; it begins with eyJ.",
    matches: (value) => value.trim().startsWith("sig_"),
  },
  {
    of: ["QSTASH_TOKEN", ...signingKeys],
    status: "failed",
    detail: "set, with a character in it that none of these has",
    cause: "A line break, a blank (as after Bearer) or an invisible character got into it while it was copied.",
    remedy: anewFromUpstash,
    matches: (value) => /[^\u0021-\u007e]/.test(value.trim()),
  },
  {
    of: signingKeys,
    status: "failed",
    detail: "set to a token",
    cause: "What begins with eyJ is QSTASH_TOKEN; deliveries are verified with the signing keys.",
    remedy: "Copy the signing keys from the QStash console; they begin with sig_.",
    matches: (value) => value.trim().startsWith("eyJ"),
  },
  {
    of: signingKeys,
    status: "warning",
    detail: "set, but it does not begin with sig_",
    cause: "QStash's signing keys begin with sig_: a part is missing, or this is something else.",
    remedy: anewFromUpstash,
    matches: (value) => !/^(sig_|eyJ)/.test(value.trim()),
  },
  {
    of: ["QSTASH_NEXT_SIGNING_KEY"],
    status: "warning",
    detail: "set to the same as QSTASH_CURRENT_SIGNING_KEY",
    cause: "One key was copied twice: when QStash rotates its keys, the deliveries after it are refused.",
    remedy: anewFromUpstash,
    matches: (value, record) => value.trim() === record["QSTASH_CURRENT_SIGNING_KEY"]?.trim(),
  },
  {
    of: ["QSTASH_TOKEN", ...signingKeys],
    status: "failed",
    detail: "set to the public one of QStash's development server",
    cause: "Everybody knows it: with such a key anybody could forge deliveries.",
    remedy: anewFromUpstash,
    matches: (value, record) => publicCredentials.has(value.trim()) && !isLocalQstash(record),
  },
  {
    of: apartSecrets,
    status: "warning",
    detail: "set to the same as another secret",
    cause: "Whoever has to know the one can use the other; the verify token even travels in an address.",
    remedy: "Give each of them a value of its own.",
    matches: (value, record, name) =>
      itemsOf(value).some((item) =>
        apartSecrets.slice(0, apartSecrets.indexOf(name)).some((other) => itemsOf(record[other] ?? "").includes(item)),
      ),
  },
];

function isLocalQstash(record: EnvRecord): boolean {
  const url = record["QSTASH_URL"]?.trim() ?? "";
  return URL.canParse(url) && isLoopback(hostOf(new URL(url)));
}
