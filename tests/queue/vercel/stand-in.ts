import { createServer, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";

import { generateKeyPair, jwtVerify, SignJWT } from "jose";

import { systemClock } from "#platform/clock.ts";

import delivery from "./recorded/delivery.json" with { type: "json" };
import lease from "./recorded/lease.json" with { type: "json" };
import send from "./recorded/send.json" with { type: "json" };

export interface SentMessage {
  id: string;
  topic: string;
  headers: IncomingMessage["headers"];
  body: Buffer;
  receipt: string;
  deliveries: number;
}

interface Answered {
  status: number;
  headers?: Record<string, string>;
  body?: Buffer | string;
}

export interface VercelQueueOptions {
  /** The base URL whose routes have the triggers of vercel.json. */
  relayUrl: () => string;
  /** Whether messages are left out of deliveries, as large ones are. */
  large?: boolean;
  /** So long a second of a lease lasts, in milliseconds. */
  secondMs?: number;
}

const group = delivery.headers["ce-vqsconsumergroup"];
const identity = { iss: "https://oidc.vercel.com/team", project_id: "prj_example", environment: "production" };

/** Made once: that takes a while. */
const keyPairs = Promise.all([generateKeyPair("RS256"), generateKeyPair("RS256")]);

/**
 * Vercel Queues in one region: takes what the recorded requests have and nothing else, verifies every token, and delivers
 * each message, with a lease, until the lease is deleted.
 */
export async function startVercelQueue({ relayUrl, large = false, secondMs = 2 }: VercelQueueOptions) {
  const [keys, foreign] = await keyPairs;
  const messages = new Map<string, SentMessage>();
  const acknowledged: string[] = [];
  const postponed: number[] = [];
  const answers: number[] = [];
  const received: string[] = [];
  const keysUsed = new Set<string>();
  const timers = new Set<() => void>();
  let count = 0;

  const signToken = (expiresInS = 3_600, key = keys.privateKey) =>
    new SignJWT(identity)
      .setProtectedHeader({ alg: "RS256" })
      .setExpirationTime(Math.floor(Date.now() / 1000) + expiresInS)
      .sign(key);

  async function isAuthorized({ headers }: IncomingMessage): Promise<boolean> {
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1] ?? "";
    return jwtVerify(token, keys.publicKey, { issuer: identity.iss, algorithms: ["RS256"] }).then(
      () => true,
      () => false,
    );
  }

  function takeMessage(topic: string, { headers }: IncomingMessage, body: Buffer): Answered {
    const unknown = Object.keys(headers).filter((name) => name.startsWith("vqs-") && !(name in send.request.headers));
    const retentionS = Number(headers["vqs-retention-seconds"]);
    const delayS = Number(headers["vqs-delay-seconds"] ?? 0);
    const key = String(headers["vqs-idempotency-key"] ?? "");
    const isRight =
      unknown.length === 0 &&
      /^[\w-]+$/.test(topic) &&
      retentionS >= 60 &&
      retentionS <= 604_800 &&
      delayS >= 0 &&
      delayS <= retentionS &&
      key.length <= 256;
    if (!isRight) return { status: 400, body: "Invalid parameters" };
    count += 1;
    const id = `0-${count}`;
    if (!keysUsed.has(`${topic} ${key}`)) {
      keysUsed.add(`${topic} ${key}`);
      messages.set(id, { id, topic, headers, body, receipt: "", deliveries: 0 });
      if (delayS === 0) schedule(id, 0);
    }
    return { status: send.response.status, body: JSON.stringify({ messageId: id }) };
  }

  function schedule(id: string, delayMs: number): void {
    const cancel = systemClock.after(delayMs, () => {
      timers.delete(cancel);
      void deliver(id);
    });
    timers.add(cancel);
  }

  async function deliver(id: string): Promise<void> {
    const message = messages.get(id);
    if (message === undefined) return;
    message.deliveries += 1;
    message.receipt = `receipt-${id}-${message.deliveries}`;
    const { "ce-vqsreceipthandle": _receipt, "ce-vqsdeliverycount": _count, ...common } = delivery.headers;
    const headers = {
      ...common,
      "ce-vqsqueuename": message.topic,
      "ce-vqsmessageid": id,
      ...(large ? {} : { "ce-vqsreceipthandle": message.receipt, "ce-vqsdeliverycount": String(message.deliveries) }),
      "ce-vqsvisibilitydeadline": new Date(Date.now() + 300_000).toISOString(),
    };
    const route = message.topic.replace(/^relay-/, "");
    const init = { method: "POST", headers, body: large ? null : new Uint8Array(message.body) };
    const status = await fetch(`${relayUrl()}/api/vercel/${route}`, init).then(
      (response) => response.status,
      () => 0,
    );
    answers.push(status);
    if (status < 200 || status > 299) schedule(id, 60 * secondMs);
  }

  function answerLease(method: string, receipt: string, body: Buffer): Answered {
    const message = [...messages.values()].find((held) => held.receipt === receipt);
    if (message === undefined) return { status: lease.lost.status };
    if (method === "DELETE") {
      messages.delete(message.id);
      acknowledged.push(message.id);
      return lease.acknowledge.response;
    }
    const { visibilityTimeoutSeconds } = JSON.parse(body.toString()) as { visibilityTimeoutSeconds: number };
    postponed.push(visibilityTimeoutSeconds);
    schedule(message.id, visibilityTimeoutSeconds * secondMs);
    return { status: 200, body: JSON.stringify(lease.changeVisibility.response.body) };
  }

  function answerReceive(id: string): Answered {
    const message = messages.get(id);
    received.push(id);
    if (message === undefined) return { status: 404 };
    message.deliveries = Math.max(1, message.deliveries);
    message.receipt = `receipt-${id}-${message.deliveries}`;
    const head = Object.entries({
      ...lease.receiveById.response.part,
      "Vqs-Message-Id": id,
      "Vqs-Receipt-Handle": message.receipt,
      "Vqs-Delivery-Count": String(message.deliveries),
    });
    const lines = head.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const parts = [Buffer.from(`--example\r\n${lines}\r\n`), message.body, Buffer.from("\r\n--example--\r\n")];
    return {
      status: 200,
      headers: { "content-type": lease.receiveById.response.contentType },
      body: Buffer.concat(parts),
    };
  }

  async function answer(incoming: IncomingMessage, body: Buffer): Promise<Answered> {
    if (!(await isAuthorized(incoming))) return { status: 401, body: "Unauthorized" };
    const { method = "", url = "" } = incoming;
    const [, topic = "", consumer, kind, last = ""] =
      /^\/api\/v3\/topic\/([^/]+)(?:\/consumer\/([^/]+)\/(lease|id)\/([^/]+))?$/.exec(url) ?? [];
    if (topic === "") return { status: 404 };
    if (consumer === undefined) return takeMessage(topic, incoming, body);
    if (consumer !== group) return { status: 404 };
    return kind === "id" ? answerReceive(last) : answerLease(method, last, body);
  }

  const server = createServer((incoming, outgoing) => {
    void buffer(incoming).then(async (body) => {
      const { status, headers, body: answered } = await answer(incoming, body);
      outgoing.writeHead(status, headers).end(answered);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();

  return {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`,
    signToken,
    foreignKey: foreign.privateKey,
    messages: messages as ReadonlyMap<string, SentMessage>,
    /** The ids of what was acknowledged; of what was asked for by its id; the pauses, in seconds; the answers' statuses. */
    acknowledged: acknowledged as readonly string[],
    received: received as readonly string[],
    postponed: postponed as readonly number[],
    answers: answers as readonly number[],
    close: async () => {
      for (const cancel of timers) cancel();
      messages.clear();
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
