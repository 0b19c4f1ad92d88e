import type { Check, Finding } from "#diagnostics/check.ts";
import { createConnection } from "#diagnostics/connection-steps.ts";
import { hostOf, isPrivate } from "#diagnostics/hosts.ts";
import { runSteps } from "#diagnostics/run-steps.ts";
import type { Network } from "#platform/bounded-fetch.ts";

import { ask, type DeployedRelay, examine, isRedirect, skipped, targetOf } from "./checklist.ts";

const budgetMs = 10_000;

/** Whether Meta can reach the address: name, connection, certificate, HTTPS alone, and what the sibling of its host does. */
export async function checkAddress(relay: DeployedRelay): Promise<Check[]> {
  const url = new URL(relay.baseUrl);
  const isTls = url.protocol === "https:";
  const port = Number(url.port) || (isTls ? 443 : 80);
  const connection = createConnection({ host: hostOf(url), port, variable: "--deployed" });
  const steps = [...connection.steps, ...(isTls ? [connection.tlsStep(relay.clock)] : [])];
  const options = { target: "Address", clock: relay.clock, budgetMs, failure: "failed" } as const;
  const reached = await runSteps(steps, options).finally(connection.close);
  if (reached.some(({ status }) => status === "failed")) return reached;
  if (!isTls) return [...reached, { name: "HTTPS", ...judgePlain(url) }];
  return [
    ...reached,
    await examine("HSTS", relay, () => findHsts(relay)),
    url.port === "" ? await examine("HTTP", relay, () => findPlain(url, relay)) : skipped("HTTP", "not the usual port"),
    await checkSibling(url, relay),
  ];
}

function judgePlain(url: URL): Finding {
  if (isPrivate(hostOf(url))) {
    return {
      status: "warning",
      detail: "not used; the address is private",
      cause: "Meta and the queues call public addresses by https only.",
      remedy: "Run this checklist with the public address, too.",
    };
  }
  return {
    status: "failed",
    detail: "not used",
    cause: "Meta calls https only, and tokens would be sent unencrypted.",
    remedy: "Give --deployed the address that begins with https://.",
  };
}

/** https://www.rfc-editor.org/rfc/rfc6797 */
async function findHsts(relay: DeployedRelay): Promise<Finding> {
  const answer = await ask(`${relay.baseUrl}/api/health`, relay);
  const seconds = Number(/max-age="?(\d+)/i.exec(answer.headers.get("strict-transport-security") ?? "")?.[1] ?? 0);
  if (seconds > 0) return { status: "ok", detail: `${Math.round(seconds / 86_400)} days` };
  return {
    status: "warning",
    detail: "no Strict-Transport-Security",
    cause:
      "A browser may open the dashboard by http first. The relay sends the header when it knows that it is asked by https.",
    remedy: "Have the proxy in front send X-Forwarded-Proto: https, or send the header itself.",
  };
}

async function findPlain(url: URL, relay: Network): Promise<Finding> {
  const plain = `http://${url.host}${url.pathname}`;
  const answer = await ask(plain, relay).catch(() => null);
  if (answer === null) return { status: "ok", detail: "not served" };
  const target = targetOf(answer, plain);
  if (isRedirect(answer) && target.startsWith("https://")) return { status: "ok", detail: `redirects to ${target}` };
  return {
    status: "warning",
    detail: `answered ${answer.status}`,
    cause: "The address answers without encryption, too.",
    remedy: "Redirect http to https, or do not serve it.",
  };
}

/** Of `www.example.com` the bare domain and the other way round: it may redirect, so it must not be entered at Meta. */
async function checkSibling(url: URL, relay: Network): Promise<Check> {
  const name = "Bare domain";
  const labels = url.hostname.split(".");
  const isWww = labels[0] === "www";
  if (isPrivate(hostOf(url)) || (!isWww && labels.length !== 2)) return skipped(name, "the host has no www twin");
  const sibling = isWww ? labels.slice(1).join(".") : `www.${url.hostname}`;
  return examine(name, relay, async () => {
    const answer = await ask(`https://${sibling}/api/health`, relay).catch(() => null);
    if (answer === null) return { status: "ok", detail: `${sibling} is not served` };
    if (!isRedirect(answer)) return { status: "ok", detail: `${sibling} answers ${answer.status} itself` };
    return { status: "ok", detail: `${sibling} redirects: enter only ${url.host} at Meta, which follows no redirect` };
  });
}
