import { expect } from "vitest";

import type { ReceivedDelivery } from "#instagram/received-delivery.ts";
import { createSignatureVerifier, signBody } from "#instagram/signature.ts";
import { createWebhookHandler, type WebhookHandler } from "#instagram/webhook-handler.ts";
import { systemClock } from "#platform/clock.ts";

import { createRecordingLog } from "./recording-log.ts";

const secret = "app-secret";
const bodyBytesMax = 3_145_728;

/** The real webhook handler, whose forward only remembers. */
export function createReceiver(region: string | null = null) {
  const received: ReceivedDelivery[] = [];
  let ids = 0;
  const handler: WebhookHandler = createWebhookHandler({
    runtime: "nodejs",
    region,
    deployment: null,
    clock: systemClock,
    log: createRecordingLog().log,
    newId: () => `d${(ids += 1)}`,
    waitUntil: () => {},
    readVerifyToken: () => "",
    countRefusal: () => undefined,
    readSettings: () => ({
      relaySecret: "relay-secret",
      verify: createSignatureVerifier([secret]).verify,
      ack: { mode: { kind: "immediate" }, publishBudgetMs: 8_000 },
      bodyBytesMax,
      forward: (delivery) => {
        received.push(delivery);
        // Its result is only handed to the report.
        return { kept: Promise.resolve(true), result: new Promise(() => {}) };
      },
      report: async () => {},
    }),
  });
  const status = async (body: Uint8Array<ArrayBuffer>, signature: string) => {
    const headers = { "x-hub-signature-256": signature };
    return (await handler.post(new Request("http://localhost/", { method: "POST", body, headers }))).status;
  };
  return {
    secret,
    bodyBytesMax,
    status,
    async deliver(body: Uint8Array<ArrayBuffer>, fault: string): Promise<ReceivedDelivery> {
      expect(await status(body, await signBody(secret, body)), fault).toBe(200);
      const delivery = received.pop();
      if (delivery === undefined) throw new Error(`Nothing was forwarded: ${fault}`);
      return delivery;
    },
  };
}
