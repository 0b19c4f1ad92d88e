import { createServer, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";

import { type CryptoKey, exportJWK, exportPKCS8, generateKeyPair, jwtVerify, SignJWT } from "jose";

import { systemClock } from "#platform/clock.ts";
import { parseUrl } from "#platform/parse-url.ts";
import { cloudTasksPublisherVariables, type GoogleServiceAccount } from "#platform/queue-env/cloud-tasks.ts";

import createTask from "./recorded/create-task.json" with { type: "json" };
import delivery from "./recorded/delivery.json" with { type: "json" };
import errors from "./recorded/errors.json" with { type: "json" };
import recordedQueue from "./recorded/queue.json" with { type: "json" };

type Status = Exclude<keyof typeof errors, "sources" | "read">;

interface Task {
  name: string;
  dispatchDeadline?: string;
  scheduleTime?: string;
  httpRequest: {
    url: string;
    httpMethod: string;
    headers?: Record<string, string>;
    body?: string;
    oidcToken: { serviceAccountEmail: string; audience: string };
  };
}

/** What differs in a token that Google signs for a delivery, from what is right. */
export interface TokenChanges {
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
  key?: CryptoKey | Uint8Array;
}

export const queue = recordedQueue.v2.name;
const audience = "https://cloudtasks.googleapis.com/";

const makeKeys = () => generateKeyPair("RS256", { extractable: true });
/** Google's, the service account's and a stranger's. Made once: that takes a while. */
const keyPairs = Promise.all([makeKeys(), makeKeys(), makeKeys()]);

/**
 * Cloud Tasks and Google's keys on one address: takes what the recorded requests have and nothing else, verifies every token,
 * counts sizes and names, and delivers with a token of its own until the answer is 2xx.
 */
export async function startCloudTasks({ retryMs = 20 }: { retryMs?: number } = {}) {
  const [google, owner, other] = await keyPairs;
  const keyFile = async (key: CryptoKey, email: string) =>
    JSON.stringify({
      type: "service_account",
      client_email: email,
      private_key_id: "key-1",
      private_key: await exportPKCS8(key),
    });
  const email = "relay@example.iam.gserviceaccount.com";
  const keyJson = await keyFile(owner.privateKey, email);
  const strangerJson = await keyFile(other.privateKey, email);
  const certs = { keys: [{ ...(await exportJWK(google.publicKey)), kid: "google-1", alg: "RS256", use: "sig" }] };

  const names = new Set<string>();
  const waiting = new Map<string, { task: Task; attempts: number }>();
  const answers: { name: string; status: number }[] = [];
  const timers = new Set<() => void>();
  const counts = { certs: 0 };
  let paused = false;
  let retryConfig: Record<string, unknown> = recordedQueue.v2.retryConfig;

  /** As Google signs it for the address, unless the test changes something. */
  async function signToken(aud: string, { claims = {}, header = {}, key = google.privateKey }: TokenChanges = {}) {
    const now = Math.floor(Date.now() / 1000);
    const right = { ...delivery.token.claims, aud, iat: now, exp: now + 3_600 };
    return new SignJWT({ ...right, ...claims }).setProtectedHeader({ ...delivery.token.header, ...header }).sign(key);
  }

  async function deliver(name: string): Promise<void> {
    const entry = waiting.get(name);
    if (entry === undefined || paused) return;
    const { url, httpMethod, headers, body, oidcToken } = entry.task.httpRequest;
    const right = {
      ...delivery.headers,
      ...headers,
      authorization: `Bearer ${await signToken(oidcToken.audience)}`,
      "x-cloudtasks-taskname": name.split("/").at(-1) ?? "",
      "x-cloudtasks-taskretrycount": String(entry.attempts),
      "x-cloudtasks-taskexecutioncount": String(entry.attempts),
    };
    entry.attempts += 1;
    const init = { method: httpMethod, headers: right, body: body === undefined ? null : Buffer.from(body, "base64") };
    const status = await fetch(url, init).then(
      (response) => response.status,
      () => 0,
    );
    answers.push({ name, status });
    if (status >= 200 && status < 300) waiting.delete(name);
    else schedule(name, retryMs);
  }

  function schedule(name: string, delayMs: number): void {
    const cancel = systemClock.after(delayMs, () => {
      timers.delete(cancel);
      void deliver(name);
    });
    timers.add(cancel);
  }

  async function create(given: Omit<Task, "name"> & { name?: string }): Promise<Status | object> {
    const task = { ...given, name: given.name ?? `${queue}/tasks/${crypto.randomUUID()}` };
    const fault = await faultOf(task, email);
    if (fault !== null) return fault;
    if (names.has(task.name)) return "ALREADY_EXISTS";
    names.add(task.name);
    waiting.set(task.name, { task, attempts: 0 });
    const dueAt = task.scheduleTime ?? new Date().toISOString();
    if (Date.parse(dueAt) <= Date.now() + 1_000) void deliver(task.name);
    const { body: _body, ...httpRequest } = task.httpRequest;
    return { ...createTask.response.body, name: task.name, httpRequest, scheduleTime: dueAt };
  }

  async function answer(incoming: IncomingMessage, body: Buffer): Promise<Status | object> {
    const path = incoming.url ?? "";
    if (path === "/oauth2/v3/certs") {
      counts.certs += 1;
      return certs;
    }
    if (!(await isAuthorized(incoming, owner.publicKey, email))) return "UNAUTHENTICATED";
    if (!path.includes(`/${queue}`)) return "NOT_FOUND";
    const rest = path.split(queue)[1] ?? "";
    if (path.startsWith("/v2beta3/") && rest === "?readMask=state,stats") {
      const stats = { ...recordedQueue.v2beta3.stats, tasksCount: String(waiting.size) };
      return { ...recordedQueue.v2beta3, state: paused ? "PAUSED" : "RUNNING", stats };
    }
    if (rest === "" && incoming.method === "GET") {
      return { ...recordedQueue.v2, retryConfig, state: paused ? "PAUSED" : "RUNNING" };
    }
    if (rest === ":pause" || rest === ":resume") {
      paused = rest === ":pause";
      if (!paused) for (const name of waiting.keys()) void deliver(name);
      return { ...recordedQueue.v2, state: paused ? "PAUSED" : "RUNNING" };
    }
    if (incoming.method === "DELETE") return waiting.delete(`${queue}${rest}`) ? {} : "NOT_FOUND";
    if (incoming.method !== "POST" || rest !== "/tasks") return "NOT_FOUND";
    const json = JSON.parse(body.toString()) as { task: Task };
    return hasOnly(json, createTask.request.body) ? create(json.task) : "INVALID_ARGUMENT";
  }

  const server = createServer((incoming, outgoing) => {
    void buffer(incoming).then(async (body) => {
      const answered = await answer(incoming, body);
      const { status, body: json } = typeof answered === "string" ? errors[answered] : { status: 200, body: answered };
      outgoing.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;

  return {
    url,
    certsUrl: `${url}/oauth2/v3/certs`,
    email,
    keyJson,
    strangerJson,
    google,
    /** The status of each delivery's answer; 0 without one. */
    answers: answers as readonly { name: string; status: number }[],
    waiting: waiting as ReadonlyMap<string, { task: Task; attempts: number }>,
    counts,
    signToken,
    setRetryConfig: (next: Record<string, unknown>) => {
      retryConfig = next;
    },
    close: async () => {
      for (const cancel of timers) cancel();
      waiting.clear();
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

export type CloudTasksStandIn = Awaited<ReturnType<typeof startCloudTasks>>;

/** The key file as the environment has it. */
export function accountOf(keyJson: string): GoogleServiceAccount {
  const account = cloudTasksPublisherVariables.GOOGLE_SERVICE_ACCOUNT_KEY.parse(keyJson);
  if (account === undefined) throw new Error("The key file is malformed");
  return account;
}

/** https://google.aip.dev/auth/4111 */
async function isAuthorized({ headers }: IncomingMessage, key: CryptoKey, email: string): Promise<boolean> {
  const token = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1] ?? "";
  try {
    const options = { algorithms: ["RS256"], issuer: email, subject: email, audience };
    const { payload, protectedHeader } = await jwtVerify(token, key, options);
    const lifetimeS = Number(payload.exp) - Number(payload.iat);
    return protectedHeader.kid === "key-1" && lifetimeS <= 3_600 && payload["scope"] === undefined;
  } catch {
    return false;
  }
}

/** Google refuses fields that it does not know. */
function hasOnly(given: unknown, known: unknown): boolean {
  if (typeof given !== "object" || given === null || typeof known !== "object" || known === null) return true;
  return Object.entries(given).every(
    ([name, value]) =>
      name === "headers" || (name in known && hasOnly(value, (known as Record<string, unknown>)[name])),
  );
}

async function faultOf(task: Task, email: string): Promise<Status | null> {
  const { httpRequest, dispatchDeadline = "600s", scheduleTime } = task;
  const deadlineS = Number(/^(\d+)s$/.exec(dispatchDeadline)?.[1]);
  const inDays = scheduleTime === undefined ? 0 : (Date.parse(scheduleTime) - Date.now()) / 86_400_000;
  const isRight =
    JSON.stringify(task).length <= 100_000 &&
    task.name.startsWith(`${queue}/tasks/`) &&
    /^[\w-]{1,500}$/.test(task.name.slice(`${queue}/tasks/`.length)) &&
    deadlineS >= 15 &&
    deadlineS <= 1_800 &&
    inDays <= 30 &&
    parseUrl(httpRequest.url) !== null &&
    Buffer.from(httpRequest.body ?? "", "base64").toString("base64") === (httpRequest.body ?? "") &&
    Object.values(httpRequest.headers ?? {}).every((value) => typeof value === "string");
  if (!isRight) return "INVALID_ARGUMENT";
  return httpRequest.oidcToken.serviceAccountEmail === email ? null : "PERMISSION_DENIED";
}
