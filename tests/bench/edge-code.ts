// What the bench runs inside the edge VM; see edge-vm.ts. Everything here is compiled by the VM and uses its globals.
import type { ForwardedDelivery } from "#platform/delivery.ts";
import { createSignatureVerifier, signBody } from "#instagram/signature.ts";
import { parseWebhook } from "#instagram/webhook-parser.ts";
import { bytesFromHex } from "#platform/bytes.ts";
import { parse, stringify } from "#platform/natives.ts";
import { encodeBatches } from "#queue/encode-batch.ts";
import { qstashBytesMax } from "#queue/qstash/qstash-publisher.ts";

/** The two contestants for one body; each resolves with the bytes it would send on. */
export interface Contest {
  relay(): Promise<number>;
  floor(): Promise<number>;
}

const secret = "app-secret";
const encoder = new TextEncoder();
const decoder = new TextDecoder();

const onFailure = (thrown: unknown) => {
  throw thrown;
};

export async function prepare(text: string): Promise<Contest> {
  const body = encoder.encode(text);
  const header = await signBody(secret, body);
  const signature = bytesFromHex(header.slice("sha256=".length));
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), hmac, false, ["verify"]);
  const verifier = createSignatureVerifier([secret]);
  const facts: ForwardedDelivery = {
    id: "a3bb189e-8bf9-4c4b-9c1e-6d9f4a1c2d3e",
    runtime: "edge",
    region: null,
    deployment: null,
    coldStart: false,
    receivedAtMs: 1_700_000_000_000,
    bodyBytes: body.byteLength,
    secretIndex: 0,
    probe: false,
    ackMs: 0.5,
    publishStartedAtMs: 1_700_000_000_000,
  };
  return {
    async relay() {
      if ((await verifier.verify(body, header)) === null) throw new Error("The signature does not match");
      const events = await parseWebhook(body, { deliveryId: facts.id, onFailure });
      return encodeBatches(facts, events, qstashBytesMax).reduce((bytes, batch) => bytes + batch.body.byteLength, 0);
    },
    async floor() {
      if (!(await crypto.subtle.verify("HMAC", key, signature, body))) throw new Error("The signature does not match");
      return encoder.encode(stringify(parse(decoder.decode(body)))).byteLength;
    },
  };
}
