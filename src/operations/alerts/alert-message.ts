import type { AlertAddress } from "./alert-address.ts";
import { findRule } from "./alert-rules.ts";
import { describeDuration } from "./describe-duration.ts";
import type { ChangedAlert } from "./evaluate-alerts.ts";

/** What a receiver is sent; the whole body of the JSON form. */
export interface AlertMessage {
  version: 1;
  /** The notice's id: a receiver that gets it twice has seen it. */
  id: string;
  at: string;
  /** RELAY_URL. */
  relay: string;
  /** The same in plain text. */
  text: string;
  changes: MessageChange[];
}

export interface MessageChange extends Omit<ChangedAlert, "change"> {
  change: ChangedAlert["change"] | "test";
  severity: "critical" | "warning";
  title: string;
  threshold: string;
  advice: string;
  /** The page with the list, and the rule's place on the page of alerts. */
  href: string;
  alertHref: string;
}

export interface MessageContext {
  id: string;
  atMs: number;
  relayUrl: string;
}

/** A notice as its receivers get it. */
export function createAlertMessage(
  changes: readonly ChangedAlert[],
  { id, atMs, relayUrl }: MessageContext,
): AlertMessage {
  const described = changes.map((change): MessageChange => {
    const rule = findRule(change.rule);
    return {
      ...change,
      severity: rule?.severity ?? "warning",
      title: rule?.title ?? change.rule,
      threshold: rule?.threshold ?? "",
      advice: rule?.advice ?? "",
      href: `${relayUrl}${rule?.path(change.scope) ?? "/dashboard/alerts"}`,
      alertHref: `${relayUrl}/dashboard/alerts#${change.rule}`,
    };
  });
  return messageOf(described, { id, atMs, relayUrl });
}

/** What "send a test" sends. */
export function createTestMessage({ id, atMs, relayUrl }: MessageContext): AlertMessage {
  const test: MessageChange = {
    rule: "test",
    scope: "",
    change: "test",
    level: 0,
    value: null,
    text: "An operator asked for this test. Nothing is wrong.",
    since: null,
    durationMs: null,
    severity: "warning",
    title: "Test",
    threshold: "",
    advice: "",
    href: `${relayUrl}/dashboard/alerts`,
    alertHref: `${relayUrl}/dashboard/alerts`,
  };
  return messageOf([test], { id, atMs, relayUrl });
}

function messageOf(changes: MessageChange[], { id, atMs, relayUrl: relay }: MessageContext): AlertMessage {
  const text = changes.map(describeChange).join("\n");
  return { version: 1, id, at: new Date(atMs).toISOString(), relay, text, changes };
}

function describeChange({ change, title, text, severity, durationMs }: MessageChange): string {
  switch (change) {
    case "recovered":
      return `Resolved: ${title}${durationMs === null ? "" : `, after ${describeDuration(durationMs)}`}. ${text}`;
    case "reminder":
      return `Still firing: ${title}. ${text}`;
    case "worse":
      return `Worse: ${title}. ${text}`;
    case "test":
      return `Test: ${text}`;
    case "firing":
      return `${severity === "critical" ? "CRITICAL" : "Warning"}: ${title}. ${text}`;
  }
}

/** Of more changes Slack's message has the first ones: it takes 40,000 characters at most. */
const linesMax = 40;

/** The body for this form of address. */
export function encodeAlertMessage(message: AlertMessage, form: AlertAddress["form"]): string {
  if (form === "json") return JSON.stringify(message);
  const lines = message.changes.slice(0, linesMax).map((change) => {
    const links = [`<${change.href}|Open>`, ...(change.advice === "" ? [] : [`<${change.alertHref}|What to do>`])];
    return `${escape(describeChange(change))}${change.change === "firing" ? ` ${escape(change.advice)}` : ""} ${links.join(" · ")}`;
  });
  if (message.changes.length > linesMax) lines.push(`… and ${message.changes.length - linesMax} more.`);
  return JSON.stringify({ text: lines.join("\n"), unfurl_links: false });
}

/** https://api.slack.com/reference/surfaces/formatting#escaping */
function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
