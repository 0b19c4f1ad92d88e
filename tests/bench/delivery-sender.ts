import { Agent, request } from "node:http";

import { signBody } from "#instagram/signature.ts";

import { webhookBody } from "./payloads.ts";

export const appSecret = "app-secret";

/** A delivery to be posted again and again. */
export interface SignedDelivery {
  body: Buffer;
  headers: Record<string, string | number>;
}

/** A delivery of so many events, signed as Meta does. */
export function signDelivery(events: number): Promise<SignedDelivery> {
  return sign(webhookBody(events));
}

/** Each of these bodies, signed as Meta does. */
export function signBodies(bodies: readonly string[]): Promise<SignedDelivery[]> {
  return Promise.all(bodies.map(sign));
}

async function sign(text: string): Promise<SignedDelivery> {
  const body = Buffer.from(text);
  return {
    body,
    headers: {
      "content-type": "application/json",
      "content-length": body.byteLength,
      "x-hub-signature-256": await signBody(appSecret, body),
    },
  };
}

const answerLimitMs = 20_000;
/** The server closes a connection that has been idle for 5 s, perhaps just when it is used again. */
const idleMsMax = 3_000;
const agent = new Agent({ keepAlive: true, timeout: idleMsMax });

/** Resolves when the whole answer is there; throws unless it is 200. By `node:http`, for the sender shares the machine. */
export function postDelivery(url: string, { body, headers }: SignedDelivery): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: "POST", agent, headers, timeout: answerLimitMs }, (response) => {
      const { statusCode } = response;
      response.once("error", reject);
      response.once("end", () => {
        if (statusCode === 200) resolve();
        else reject(new Error(`${url} answered ${statusCode}`));
      });
      response.resume();
    });
    outgoing.once("timeout", () => outgoing.destroy(new Error(`${url} did not answer within ${answerLimitMs} ms`)));
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

/** A closed loop: always so many under way at once, each begun when another is answered. */
export async function postAll(count: number, atOnce: number, post: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const postNext = async () => {
    while (next < count) {
      next += 1;
      await post(next - 1);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, postNext));
}
