import type { EnvRecord } from "#platform/env.ts";

import { hostOf, isLoopback, isPrivate } from "./hosts.ts";
import { itemsOf, type VariableRule } from "./variable-rule.ts";

/** Addresses that can be read and lead nowhere, or to the wrong place. */
export const addressRules: readonly VariableRule[] = [
  {
    of: ["QSTASH_URL"],
    status: "failed",
    detail: "set, with a path of the API",
    cause: "The relay adds /v2/publish by itself; QStash would answer 404.",
    remedy: "Set only the base URL, such as https://qstash.upstash.io.",
    matches: some((url) => /^\/v\d/.test(url.pathname)),
  },
  {
    of: ["QSTASH_URL"],
    status: "warning",
    detail: "set, with a path",
    cause: "QStash has none: this can only be a proxy in front of it.",
    remedy: "Set the region's base URL, unless there is such a proxy.",
    matches: some((url) => url.pathname !== "/" && !/^\/v\d/.test(url.pathname)),
  },
  {
    of: ["QSTASH_URL"],
    status: "failed",
    detail: "set to another product of Upstash",
    cause: "QStash's addresses begin with qstash; the others are Redis databases and the like.",
    remedy: "Copy QSTASH_URL from the QStash console of your region.",
    matches: some((url) => /\.upstash\.(io|com)$/.test(url.hostname) && !url.hostname.startsWith("qstash")),
  },
  {
    of: ["QSTASH_URL"],
    status: "failed",
    detail: "set, without https",
    cause: "The token would travel readable for everybody on the way.",
    remedy: "Begin it with https://.",
    matches: some((url) => url.protocol === "http:" && !isPrivate(hostOf(url))),
  },
  {
    of: ["QSTASH_URL", "RELAY_URL", "DATABASE_URL"],
    status: "failed",
    detail: "set to localhost",
    cause: "On Vercel, localhost is the function itself: nothing else listens there.",
    remedy: "Set the public address.",
    matches: some((url, record) => onVercel(record) && isLoopback(hostOf(url))),
  },
  {
    of: ["RELAY_URL"],
    status: "failed",
    detail: "set to an address that QStash cannot reach",
    cause: "QSTASH_URL is the real QStash, which delivers from the Internet and refuses private addresses.",
    remedy:
      "Set RELAY_URL to the public address, of a tunnel say; or remove QSTASH_URL and QSTASH_TOKEN: npm start brings a QStash of its own.",
    matches: some((url, record) => isPrivate(hostOf(url)) && isRealQstash(record)),
  },
  {
    of: ["RELAY_URL"],
    status: "failed",
    detail: "set, with the path of a route",
    cause: "The relay adds the paths of its routes by itself.",
    remedy: "Set only the base URL.",
    matches: some((url) => url.pathname.startsWith("/api/")),
  },
  {
    of: ["RELAY_URL"],
    status: "warning",
    detail: "set, with a path",
    cause: "The routes are at the root: this can only work behind a proxy that takes the path away.",
    remedy: "Set only the base URL, unless there is such a proxy.",
    matches: some((url) => url.pathname !== "/" && !url.pathname.startsWith("/api/")),
  },
  {
    of: ["RELAY_URL"],
    status: "failed",
    detail: "set, without https",
    cause: "Vercel answers http with a redirect, which QStash counts as a failure.",
    remedy: "Begin it with https://.",
    matches: some((url, record) => url.protocol === "http:" && onVercel(record)),
  },
  {
    of: ["RELAY_URL"],
    status: "warning",
    detail: "set, without https",
    cause: "People's messages would travel readable; and a host that redirects to https gets no deliveries.",
    remedy: "Begin it with https://.",
    matches: some((url, record) => url.protocol === "http:" && !isPrivate(hostOf(url)) && !onVercel(record)),
  },
  {
    of: ["DATABASE_URL"],
    status: "failed",
    detail: "set, but it is no Postgres URL",
    cause:
      "It does not begin with postgres:// or postgresql://, or its password has characters that must be percent-encoded.",
    remedy: "Copy the connection string again; in a password write @ as %40, # as %23, / as %2F and % as %25.",
    matches: (value) => !/^postgres(ql)?:\/\//.test(value.trim()) || !URL.canParse(value.trim()),
  },
  {
    of: ["DATABASE_URL"],
    status: "warning",
    detail: "set, without a password",
    cause: "It was left out, or the server trusts whoever connects.",
    remedy: "Copy the connection string with its password.",
    matches: some((url, record) => url.password === "" && !url.searchParams.has("password") && !record["PGPASSWORD"]),
  },
];

/** Whether the test holds for any address in the value; what is no address another rule finds. */
function some(test: (url: URL, record: EnvRecord) => boolean): VariableRule["matches"] {
  return (value, record, name) => {
    // Only this one is a list; a password may have commas.
    const addresses = name === "RELAY_URL" ? itemsOf(value) : [value.trim()];
    return addresses.some((address) => URL.canParse(address) && test(new URL(address), record));
  };
}

function onVercel(record: EnvRecord): boolean {
  return Boolean(record["VERCEL"]);
}

/** Anything not on this machine or network; absent is the default, Upstash's own. */
function isRealQstash(record: EnvRecord): boolean {
  const url = record["QSTASH_URL"]?.trim() ?? "";
  return url === "" || (URL.canParse(url) && !isPrivate(hostOf(new URL(url))));
}
