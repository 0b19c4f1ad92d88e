import type { Alerting } from "./alerting.ts";
import { createTestMessage } from "./alert-message.ts";
import { postAlert, type PostResult } from "./post-alert.ts";

export interface TestResult extends PostResult {
  address: string;
  form: "slack" | "json";
}

/** Sends a test to each address from here, at once, and resolves with what each of them answered. Never rejects. */
export async function sendTest({
  addresses,
  relayUrl,
  newId,
  ...alerting
}: Alerting): Promise<{ results: TestResult[] }> {
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
