import type { EnvRecord } from "#platform/env.ts";
import { parseUrl } from "#platform/parse-url.ts";

import { hostOf, isLoopback, isPrivate } from "./hosts.ts";
import { itemsOf, type VariableRule } from "./variable-rule.ts";

/** Addresses that are well formed and wrong. */
export const addressRules: readonly VariableRule[] = [
  {
    of: ["QSTASH_URL"],
    status: "failed",
    detail: "set, with a path of QStash's API",
    cause: "The relay appends /v2/publish itself, so QStash would answer 404.",
    remedy: "Set only the base URL, such as https://qstash.upstash.io.",
    matches: some((url) => /^\/v\d/.test(url.pathname)),
  },
  {
    of: ["QSTASH_URL"],
    status: "warning",
    detail: "set, with a path",
    cause: "QStash's own address has no path: this can only be a proxy in front of it.",
    remedy: "Set the region's base URL, unless there is such a proxy.",
    matches: some((url) => url.pathname !== "/" && !/^\/v\d/.test(url.pathname)),
  },
  {
    of: ["QSTASH_URL"],
    status: "failed",
    detail: "set to another product of Upstash",
    cause: "QStash's addresses begin with qstash; others belong to Redis databases and other products.",
    remedy: "Copy QSTASH_URL from the QStash console of your region.",
    matches: some((url) => /\.upstash\.(io|com)$/.test(url.hostname) && !url.hostname.startsWith("qstash")),
  },
  {
    of: ["QSTASH_URL"],
    status: "failed",
    detail: "set, without https",
    cause: "The token would be sent unencrypted.",
    remedy: "Begin it with https://.",
    matches: some((url) => url.protocol === "http:" && !isPrivate(hostOf(url))),
  },
  {
    of: ["QSTASH_URL", "RELAY_URL", "DATABASE_URL"],
    status: "failed",
    detail: "set to localhost",
    cause: "On Vercel, localhost is the function itself, and nothing else listens there.",
    remedy: "Set the public address.",
    matches: some((url, record) => onVercel(record) && isLoopback(hostOf(url))),
  },
  {
    of: ["RELAY_URL"],
    status: "failed",
    detail: "set to an address that QStash cannot reach",
    cause: "QSTASH_URL is QStash at Upstash, which delivers over the Internet and refuses private addresses.",
    remedy:
      "Set RELAY_URL to a public address, such as that of a tunnel; or remove QSTASH_URL and QSTASH_TOKEN: npm start then runs a QStash on this machine.",
    matches: some((url, record) => isPrivate(hostOf(url)) && isRealQstash(record)),
  },
  {
    of: ["RELAY_URL"],
    status: "failed",
    detail: "set, with the path of a route",
    cause: "The relay appends the paths of its routes itself.",
    remedy: "Set only the base URL.",
    matches: some((url) => url.pathname.startsWith("/api/")),
  },
  {
    of: ["RELAY_URL"],
    status: "warning",
    detail: "set, with a path",
    cause: "The routes are at the root, so this works only behind a proxy that removes the path.",
    remedy: "Set only the base URL, unless there is such a proxy.",
    matches: some((url) => url.pathname !== "/" && !url.pathname.startsWith("/api/")),
  },
  {
    of: ["RELAY_URL"],
    status: "failed",
    detail: "set, without https",
    cause: "Vercel answers http with a redirect, which queues and Meta count as a failure.",
    remedy: "Begin it with https://.",
    matches: some((url, record) => url.protocol === "http:" && onVercel(record)),
  },
  {
    of: ["RELAY_URL"],
    status: "warning",
    detail: "set, without https",
    cause: "Messages would be sent unencrypted, and a host that redirects to https gets no deliveries.",
    remedy: "Begin it with https://.",
    matches: some((url, record) => url.protocol === "http:" && !isPrivate(hostOf(url)) && !onVercel(record)),
  },
  {
    of: ["DATABASE_URL"],
    status: "failed",
    detail: "set, but not a Postgres URL",
    cause:
      "It does not begin with postgres:// or postgresql://, or its password contains characters that must be percent-encoded.",
    remedy: "Copy the connection string again; in the password write @ as %40, # as %23, / as %2F and % as %25.",
    matches: (value) => !/^postgres(ql)?:\/\//.test(value.trim()) || parseUrl(value.trim()) === null,
  },
  {
    of: ["DATABASE_URL"],
    status: "warning",
    detail: "set, without a password",
    cause: "It was left out, or the server accepts every client without a password.",
    remedy: "Copy the connection string with its password.",
    matches: some((url, record) => url.password === "" && !url.searchParams.has("password") && !record["PGPASSWORD"]),
  },
];

/** Whether the test holds for any address in the value. Another rule reports a value that is not an address. */
function some(test: (url: URL, record: EnvRecord) => boolean): VariableRule["matches"] {
  return (value, record, name) => {
    // Only RELAY_URL is a list; a password may contain commas.
    const addresses = name === "RELAY_URL" ? itemsOf(value) : [value.trim()];
    return addresses.map((address) => parseUrl(address)).some((url) => url !== null && test(url, record));
  };
}

function onVercel(record: EnvRecord): boolean {
  return Boolean(record["VERCEL"]);
}

/** Every address outside of this machine and network, and the default; with another queue none. */
function isRealQstash(record: EnvRecord): boolean {
  if ((record["QUEUE"]?.trim() || "qstash") !== "qstash") return false;
  const address = record["QSTASH_URL"]?.trim() ?? "";
  const url = parseUrl(address);
  return address === "" || (url !== null && !isPrivate(hostOf(url)));
}
