import { RelayError } from "#platform/errors.ts";
import { countRecentAudit } from "#store/operators/audit.ts";

import { createTestMessage } from "./alert-message.ts";
import type { Alerting } from "./alerting.ts";
import { postAlert, type PostResult } from "./post-alert.ts";

export interface TestResult extends PostResult {
  address: string;
  form: "slack" | "json";
}

/** A channel of people is not to be filled; Slack takes about one message a second. */
const testsPerMinuteMax = 10;

/**
 * Sends a test to each address from here, at once, and resolves with what each of them answered. Throws `RATE_LIMITED` after
 * ten in a minute, and `STORE_UNAVAILABLE`.
 */
export async function sendTest({
  addresses,
  relayUrl,
  newId,
  ...alerting
}: Alerting): Promise<{ results: TestResult[] }> {
  // The row of this one is there already.
  if ((await countRecentAudit(alerting.db, "alerts.test", 60_000)) > testsPerMinuteMax) {
    const because = `${testsPerMinuteMax} tests were sent within a minute`;
    throw new RelayError("RATE_LIMITED", `${because}: wait a minute`, { retryAfterMs: 60_000 });
  }
  const message = createTestMessage({ id: newId(), atMs: alerting.clock.nowMs(), relayUrl });
  const results = await Promise.all(
    addresses.map(async (address) => ({
      address: address.label,
      form: address.form,
      ...(await postAlert(message, address, alerting)),
    })),
  );
  return { results };
}
