import type { EnvRecord } from "#platform/env.ts";
import { parseUrl } from "#platform/parse-url.ts";

import { hostOf, isLoopback } from "./hosts.ts";
import { itemsOf, type VariableRule } from "./variable-rule.ts";

const signingKeys = ["QSTASH_CURRENT_SIGNING_KEY", "QSTASH_NEXT_SIGNING_KEY"];
/** Each is known to another party (Meta, a browser, our own edge), so each needs a value of its own. */
const apartSecrets = ["INSTAGRAM_APP_SECRET", "INSTAGRAM_VERIFY_TOKEN", "RELAY_SECRET", "OPS_TOKEN"];

/**
 * The public credentials of QStash's development server.
 * https://upstash.com/docs/qstash/howto/local-development
 */
const publicCredentials = new Set([
  "eyJVc2VySUQiOiJkZWZhdWx0VXNlciIsIlBhc3N3b3JkIjoiZGVmYXVsdFBhc3N3b3JkIn0=",
  "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r",
  "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs",
]);

const anewFromUpstash = "Copy it again from the QStash console, whole and of the right region.";

/** Secrets of the wrong kind, and values that are not secret. */
export const secretRules: readonly VariableRule[] = [
  {
    of: ["INSTAGRAM_APP_SECRET"],
    status: "failed",
    detail: "set to an access token",
    cause: "A token that begins with IGAA or EAA calls Meta's API; deliveries are signed with the app secret.",
    remedy:
      "Copy the app secret from Meta's app dashboard; the secrets of both products may be set, separated by a comma.",
    matches: (value) => itemsOf(value).some((item) => /^(IG|EAA)/.test(item)),
  },
  {
    of: ["INSTAGRAM_APP_SECRET"],
    status: "failed",
    detail: "set to an app id",
    cause: "A number is the app's or an account's id, which is public.",
    remedy: "Copy the app secret, which is beside it in Meta's app dashboard.",
    matches: (value) => itemsOf(value).some((item) => /^\d{1,20}$/.test(item)),
  },
  {
    of: ["INSTAGRAM_APP_SECRET"],
    status: "warning",
    detail: "set, but not to 32 hex digits",
    cause: "Meta's app secrets are 32 hex digits: a part is missing, or the value is not an app secret.",
    remedy: "Copy the app secret again from Meta's app dashboard.",
    matches: (value) => itemsOf(value).some((item) => !/^(IG|EAA|\d{1,20}$|[0-9a-f]{32}$)/.test(item)),
  },
  {
    of: ["QSTASH_TOKEN"],
    status: "failed",
    detail: "set to a signing key",
    cause: "A value that begins with sig_ is a signing key: it verifies deliveries and cannot publish.",
    remedy: "Copy QSTASH_TOKEN from the QStash console; it begins with eyJ.",
    matches: (value) => value.trim().startsWith("sig_"),
  },
  {
    of: ["QSTASH_TOKEN", ...signingKeys],
    status: "failed",
    detail: "set, with a character that QStash's tokens and keys do not contain",
    cause: "A line break, a space (as after Bearer) or an invisible character was copied with it.",
    remedy: anewFromUpstash,
    matches: (value) => /[^\u0021-\u007e]/.test(value.trim()),
  },
  {
    of: signingKeys,
    status: "failed",
    detail: "set to a token",
    cause: "A value that begins with eyJ is QSTASH_TOKEN; deliveries are verified with the signing keys.",
    remedy: "Copy the signing keys from the QStash console; they begin with sig_.",
    matches: (value) => value.trim().startsWith("eyJ"),
  },
  {
    of: signingKeys,
    status: "warning",
    detail: "set, but it does not begin with sig_",
    cause: "QStash's signing keys begin with sig_: a part is missing, or the value is not a signing key.",
    remedy: anewFromUpstash,
    matches: (value) => !/^(sig_|eyJ)/.test(value.trim()),
  },
  {
    of: ["QSTASH_NEXT_SIGNING_KEY"],
    status: "warning",
    detail: "set to the same value as QSTASH_CURRENT_SIGNING_KEY",
    cause: "One key was copied twice: after QStash rotates its keys, deliveries will be refused.",
    remedy: anewFromUpstash,
    matches: (value, record) => value.trim() === record["QSTASH_CURRENT_SIGNING_KEY"]?.trim(),
  },
  {
    of: ["QSTASH_TOKEN", ...signingKeys],
    status: "failed",
    detail: "set to the public value of QStash's development server",
    cause: "It is public: everyone could forge deliveries with it.",
    remedy: anewFromUpstash,
    matches: (value, record) => publicCredentials.has(value.trim()) && !isLocalQstash(record),
  },
  {
    of: apartSecrets,
    status: "warning",
    detail: "set to the same value as another secret",
    cause: "Everyone who must know one of them can use the other, and the verify token is sent in a URL.",
    remedy: "Set each of them to a different value.",
    matches: (value, record, name) =>
      itemsOf(value).some((item) =>
        apartSecrets.slice(0, apartSecrets.indexOf(name)).some((other) => itemsOf(record[other] ?? "").includes(item)),
      ),
  },
];

function isLocalQstash(record: EnvRecord): boolean {
  const url = parseUrl(record["QSTASH_URL"]?.trim() ?? "");
  return url !== null && isLoopback(hostOf(url));
}
