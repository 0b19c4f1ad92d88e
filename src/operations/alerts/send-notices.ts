import { type ClaimOptions, claimNotices, finishNotice, type Notice } from "#store/operators/alerts.ts";

import { createAlertMessage } from "./alert-message.ts";
import type { Alerting } from "./alerting.ts";
import type { ChangedAlert } from "./evaluate-alerts.ts";
import { postAlert } from "./post-alert.ts";

/** With those of maintenance every five minutes, about four hours. */
const attemptsMax = 48;
/** In one call, side by side. */
const noticesMax = 10;

/** How a call's notices ended. */
export interface SentNotices {
  sent: number;
  /** Those that are tried again. */
  pending: number;
  failed: number;
}

/**
 * Sends pending notices, those with this id or the oldest, in about five seconds: each to its address, once by one sender.
 * One whose sender died after sending is sent again, with the same id. Throws `STORE_UNAVAILABLE`.
 */
export async function sendNotices(alerting: Alerting, id: ClaimOptions["id"] = null): Promise<SentNotices> {
  const { db, clock } = alerting;
  const claimed = await claimNotices(db, { id, nowMs: clock.nowMs(), limit: noticesMax });
  const states = await Promise.all(claimed.map((notice) => send(notice, alerting)));
  const count = (state: string) => states.filter((one) => one === state).length;
  return { sent: count("sent"), pending: count("pending"), failed: count("failed") };
}

async function send(notice: Notice, alerting: Alerting): Promise<"sent" | "pending" | "failed"> {
  const { db, addresses, relayUrl, log } = alerting;
  const { id, address: label, at, attempts } = notice;
  const address = addresses.find((one) => one.label === label);
  if (address === undefined) {
    await finishNotice(db, notice, { state: "failed", result: "ALERT_WEBHOOK_URL has this address no more" });
    return "failed";
  }
  // Only `evaluateAlerts` writes this column.
  const changes = JSON.parse(notice.changes) as ChangedAlert[];
  const message = createAlertMessage(changes, { id, atMs: at.getTime(), relayUrl });
  const { isSent, result } = await postAlert(message, address, alerting);
  const state = isSent ? "sent" : attempts >= attemptsMax ? "failed" : "pending";
  await finishNotice(db, notice, { state, result });
  if (isSent) log.info("alerts.notice_sent", { notice: id, address: label, changes: changes.length });
  else log.error("alerts.notice_failed", { notice: id, address: label, attempts, state, result });
  return state;
}
