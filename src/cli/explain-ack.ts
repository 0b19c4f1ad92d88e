import { parseJsonObject } from "#platform/parse-json.ts";

/** What the webhook answered to a delivery. */
export interface Ack {
  status: number;
  text: string;
  location: string | null;
}

/** Why a delivery was not acknowledged and what to do, in two sentences; null for an ack. */
export function explainAck({ status, text, location }: Ack): string | null {
  if (status === 200) return null;
  const { code, message } = (parseJsonObject(text)["error"] ?? {}) as { code?: unknown; message?: unknown };
  const reason = typeof message === "string" ? `${message}.` : "It is not the relay that answered so.";
  return `${status}${typeof code === "string" ? ` ${code}` : ""}: ${reason} ${adviceFor(status, location)}`;
}

function adviceFor(status: number, location: string | null): string {
  if (status >= 300 && status < 400) {
    return `It redirects${location === null ? "" : ` to ${location}`}, and Instagram does not follow: send to that address.`;
  }
  switch (status) {
    case 401:
      return "Set INSTAGRAM_APP_SECRET to the app secret of the relay that answered; relay explain compares a saved body.";
    case 403:
      return "A firewall or Deployment Protection refuses it before the relay does: let /api/webhooks pass.";
    case 404:
      return "No webhook has this address: check --to and RELAY_URL.";
    case 413:
      return "Send a smaller body, or raise WEBHOOK_BODY_BYTES_MAX where the relay runs.";
    case 503:
      return "Run relay doctor: a variable is missing, or neither the queue nor the fallback kept it. Instagram sends it again.";
    default:
      return status >= 500 ? "See the log of the relay: Instagram would send it again." : "See relay doctor.";
  }
}
