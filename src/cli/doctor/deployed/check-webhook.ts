import type { Advice, Check, Finding } from "#diagnostics/check.ts";
import { isDeploymentProtection } from "#diagnostics/deployment-protection.ts";
import type { SignedProbe } from "#measurements/probe.ts";
import { ProbeFailure, sendProbe } from "#measurements/send-probe.ts";
import type { Answer } from "#platform/bounded-fetch.ts";
import { type Runtime, runtimes } from "#platform/delivery.ts";
import { encoder } from "#platform/bytes.ts";
import { parseJsonObject } from "#platform/parse-json.ts";
import { forgeryPurpose, markProbe, probeAccount } from "#platform/probe-mark.ts";

import { ask, type DeployedRelay, examine, isRedirect, skipped, targetOf } from "./checklist.ts";

export interface WebhookOptions extends DeployedRelay {
  /** INSTAGRAM_VERIFY_TOKEN of the deployment; null if it is not known here. */
  verifyToken: string | null;
  /** RELAY_SECRET of the deployment; null if it is not known here. */
  relaySecret: string | null;
  /** A probe that the relay has signed with its own app secret; a string says why there is none. */
  probe: SignedProbe | string;
}

const path = "/api/webhooks/instagram";
/** Meta waits no longer. https://developers.facebook.com/docs/graph-api/webhooks/getting-started */
const metaLimitMs = 5_000;

/** The webhook as Meta calls it, without what passes Deployment Protection: handshake, refusals, a genuine delivery. */
export async function checkWebhook(options: WebhookOptions): Promise<Check[]> {
  const { baseUrl, probe } = options;
  const url = `${baseUrl}${path}`;
  const reached = await examine("Reached by Meta", options, async () => judgeReached(await ask(url, options), url));
  if (reached.status === "failed") return [reached];
  return [
    reached,
    await examine("Handshake with a wrong token", options, async () =>
      expectStatus(await handshake(url, "a-wrong-token", options), 403, acceptsAnyToken),
    ),
    await checkHandshake(url, options),
    await checkForgery(url, options),
    ...(typeof probe === "string"
      ? runtimes.map((runtime) => skipped(nameOf(runtime), probe))
      : await Promise.all(runtimes.map((runtime) => checkProbe(runtime, probe, options)))),
  ];
}

function judgeReached(answer: Answer, url: string): Finding {
  const detail = `answered ${answer.status}`;
  if (isDeploymentProtection({ ...answer, headers: new Map(answer.headers) })) {
    return {
      status: "failed",
      detail,
      cause: "Vercel's Deployment Protection answers in the relay's place, and Meta cannot send what passes it.",
      remedy:
        "Enter the production domain at Meta, which the standard protection leaves open, or make this domain an exception in the project's settings.",
    };
  }
  if (isRedirect(answer)) {
    const target = targetOf(answer, url);
    const cause = "The address redirects, and Meta follows no redirect.";
    return { status: "failed", detail: `redirects to ${target}`, cause, remedy: `Enter ${target} at Meta.` };
  }
  const { code, message } = (parseJsonObject(answer.text)["error"] ?? {}) as { code?: unknown; message?: unknown };
  if (code === "HANDSHAKE_INVALID") return { status: "ok", detail: "the relay answers, without a redirect" };
  if (code === "ENV_INVALID") {
    const remedy = "Set it where the relay runs, and deploy again.";
    return { status: "failed", detail, cause: `The relay is there, but ${String(message)}.`, remedy };
  }
  return {
    status: "failed",
    detail: `${detail}, not as the relay`,
    cause: "Another application answers there, or a firewall or bot challenge in front of the relay.",
    remedy: "Check the address, and let /api/webhooks/instagram pass whatever stands in front.",
  };
}

function handshake(url: string, token: string, relay: DeployedRelay): Promise<Answer> {
  const query = new URLSearchParams({
    "hub.mode": "subscribe",
    "hub.challenge": challenge,
    "hub.verify_token": token,
  });
  return ask(`${url}?${query.toString()}`, relay);
}

const challenge = "1158201444";

async function checkHandshake(url: string, options: WebhookOptions): Promise<Check> {
  const name = "Handshake with the right token";
  const { verifyToken } = options;
  if (verifyToken === null) return skipped(name, "INSTAGRAM_VERIFY_TOKEN of the deployment is not set here");
  return examine(name, options, async () => {
    const answer = await handshake(url, verifyToken, options);
    const isText = answer.headers.get("content-type")?.startsWith("text/plain") === true;
    if (answer.status === 200 && answer.text === challenge && isText) return { status: "ok", detail: "accepted" };
    return {
      status: "failed",
      detail: answer.status === 200 ? "answered 200, but not with the challenge" : `answered ${answer.status}`,
      cause: "The deployment has another INSTAGRAM_VERIFY_TOKEN than this machine, or something changes its answers.",
      remedy: "Set the same token in both places and at Meta, and deploy again.",
    };
  });
}

/** With a mark that keeps it out of the figures: else the relay would warn of deliveries of Meta's that it refuses. */
async function checkForgery(url: string, options: WebhookOptions): Promise<Check> {
  const name = "Delivery with a forged signature";
  const { relaySecret, clock } = options;
  if (relaySecret === null) return skipped(name, "RELAY_SECRET of the deployment is not set here");
  const body = JSON.stringify({
    object: "instagram",
    entry: [{ id: probeAccount, time: clock.nowMs(), messaging: [] }],
  });
  return examine(name, options, async () => {
    const headers = {
      "content-type": "application/json",
      "x-hub-signature-256": `sha256=${"0".repeat(64)}`,
      ...(await markProbe(relaySecret, encoder.encode(body), clock.nowMs(), forgeryPurpose)),
    };
    return expectStatus(await ask(url, options, { method: "POST", headers, body }), 401, acceptsForgeries);
  });
}

function expectStatus(answer: Answer, expected: number, wrong: Advice): Finding {
  const detail = answer.status === expected ? `refused with ${expected}` : `answered ${answer.status}`;
  return answer.status === expected ? { status: "ok", detail } : { status: "failed", detail, ...wrong };
}

const acceptsAnyToken: Advice = {
  cause: "Any Meta app could subscribe to this address: the answer is not the relay's, or its code was changed.",
  remedy: "Deploy the relay's own route, and let nothing in front answer in its place.",
};

const acceptsForgeries: Advice = {
  cause:
    "The relay refuses this with 401. Another answer comes from a changed route, or from something in front of it.",
  remedy:
    "Deploy the relay's own route, and let nothing in front answer in its place. A 503 names a missing variable in the log.",
};

function nameOf(runtime: Runtime): string {
  return `Genuine delivery, ${runtime}`;
}

async function checkProbe(runtime: Runtime, probe: SignedProbe, options: WebhookOptions): Promise<Check> {
  return examine(nameOf(runtime), options, async () => {
    const advice = {
      cause: "A delivery signed with the deployment's own app secret was not acknowledged.",
      remedy:
        "Look for its refusal in the relay's log; npm run relay -- conform examines what stands in front of the relay.",
    };
    try {
      const answer = await sendProbe(runtime, probe, metaLimitMs, { ...options, bypassSecret: null });
      if (answer === null)
        return { status: "failed", detail: "no answer within 5 s, as long as Meta waits", ...advice };
      const place = answer.region === null ? "" : `, in ${answer.region}`;
      return { status: "ok", detail: `acknowledged in ${Math.round(answer.ms)} ms${place}` };
    } catch (thrown) {
      if (!(thrown instanceof ProbeFailure)) throw thrown;
      return { status: "failed", detail: thrown.message, ...advice };
    }
  });
}
