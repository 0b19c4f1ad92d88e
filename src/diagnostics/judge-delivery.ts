import { parseJsonObject } from "#platform/parse-json.ts";

import type { Advice, Finding } from "./check.ts";
import { deploymentProtectionAdvice, explainStranger, isDeploymentProtection } from "./deployment-protection.ts";
import { type AdviceRule, findAdvice } from "./find-advice.ts";
import type { Delivery } from "./follow-delivery.ts";

/** The finding whether QStash can deliver to RELAY_URL, from the first attempt in its log. */
export function judgeDelivery(delivery: Delivery): Finding {
  switch (delivery.state) {
    case "delivered":
      return { status: "ok", detail: "QStash reached the relay" };
    case "unknown":
      return {
        status: "warning",
        detail: "not known yet",
        cause: "QStash's log did not show the delivery in time: the log is late, or deliveries are waiting.",
        remedy: "Look for the label diagnostic in the logs of the Upstash console, or run the diagnosis again.",
      };
    case "failed": {
      const { answer, error } = delivery;
      if (answer === null) {
        const { cause, remedy } = findAdvice(rules, error, unexpected);
        return { status: "failed", detail: "QStash got no answer", cause, remedy };
      }
      const detail = `QStash was answered ${answer.status}`;
      if (isDeploymentProtection(answer)) return { status: "failed", detail, ...deploymentProtectionAdvice };
      return { status: "failed", detail, ...(explainOurs(answer) ?? explainStranger(answer)) };
    }
  }
}

/** Advice for a failure that the relay itself reports of its health; undefined if the answer is not the relay's. */
function explainOurs({ status, text }: { status: number; text: string }): Advice | undefined {
  const { store, error } = parseJsonObject(text);
  if (status !== 503 || (store === undefined && error === undefined)) return undefined;
  if (store === "ok" || error !== undefined) {
    return {
      cause: "QStash reached the relay, but its configuration is incomplete, or its RELAY_URL redirects.",
      remedy:
        "See the checks of the environment and of the relay, where it runs; /api/health says which of the two it is.",
    };
  }
  return {
    cause: "QStash reached the relay, but the relay cannot use its Postgres.",
    remedy: "See the checks of Postgres, where the relay runs.",
  };
}

/** QStash repeats the words of Go's network functions. */
const rules: readonly AdviceRule[] = [
  {
    when: /deadline exceeded|timeout/i,
    cause: "The address in RELAY_URL did not answer QStash in time.",
    remedy: "Find out why the relay starts or answers slowly, or whether a firewall drops QStash's connections.",
  },
  {
    when: /no such host|resolve|ENOTFOUND/i,
    cause: "QStash cannot resolve the host name in RELAY_URL.",
    remedy: "Correct RELAY_URL, or create the DNS record and wait until it is known.",
  },
  {
    when: /loopback|private/i,
    cause: "RELAY_URL is an address of this machine or network, which QStash does not deliver to.",
    remedy: "Set RELAY_URL to the public address.",
  },
  {
    when: /x509|certificate|tls|ssl/i,
    cause: "QStash does not accept the certificate at the address in RELAY_URL.",
    remedy: "Give that address a certificate of a public authority, for its name and not expired.",
  },
  {
    when: /refused/i,
    cause: "Nothing listens at the address in RELAY_URL.",
    remedy: "Start the relay there, or correct RELAY_URL.",
  },
];

const unexpected: Advice = {
  cause: "QStash could not connect to the address in RELAY_URL.",
  remedy: "Check that RELAY_URL is right and can be reached from the Internet.",
};
