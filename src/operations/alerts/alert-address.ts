import { createHash } from "node:crypto";

/** Where alerts are sent. */
export interface AlertAddress {
  url: string;
  /** Its host and a hash, for tables, pages and logs: the address itself may be a secret, as Slack's are. */
  label: string;
  form: "slack" | "json";
}

/** https://api.slack.com/messaging/webhooks, and the same of GovSlack. */
const slackHosts = new Set(["hooks.slack.com", "hooks.slack-gov.com"]);

/** The address of one receiver. */
export function createAlertAddress(url: string): AlertAddress {
  const { hostname, host } = new URL(url);
  const hash = createHash("sha256").update(url).digest("hex").slice(0, 6);
  return { url, label: `${host}#${hash}`, form: slackHosts.has(hostname) ? "slack" : "json" };
}
