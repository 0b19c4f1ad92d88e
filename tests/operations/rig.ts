/** The relay's Node routes on a port of their own, a real broker that calls them, and a real Postgres. */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";

import { expect, onTestFinished } from "vitest";

import type { Handler } from "#handlers/handler.ts";
import { answerFailure } from "#ingestion/answer-failure.ts";
import { answerHandlers } from "#ingestion/answer-handlers.ts";
import { answerIngestion } from "#ingestion/answer-ingestion.ts";
import { nodeDigests } from "#ingestion/node-digests.ts";
import { saveUndecodable } from "#ingestion/save-undecodable.ts";
import { reclassify } from "#instagram/data/reclassify.ts";
import { createAlertAddresses } from "#operations/alerts/alert-address.ts";
import type { Alerting } from "#operations/alerts/alerting.ts";
import { sendNotices } from "#operations/alerts/send-notices.ts";
import { answerMaintenance } from "#operations/answer-maintenance.ts";
import { createMaintenanceParts } from "#operations/maintenance-parts.ts";
import { type MaintenanceResult, runMaintenance } from "#operations/maintenance.ts";
import type { Operations } from "#operations/operations.ts";
import { type Clock, systemClock } from "#platform/clock.ts";
import { createQstashApi, type QstashApi } from "#platform/qstash-api.ts";
import { queueCapabilities } from "#queue/capabilities.ts";
import { createAnswerQstash } from "#queue/qstash/answer-qstash.ts";
import { createQstashMessagePublisher } from "#queue/qstash/qstash-message-publisher.ts";
import { createQstashPause } from "#queue/qstash/qstash-pause.ts";
import type { OpenDatabase } from "#store/connection/database.ts";
import { saveBatchLetter } from "#store/dead-letters/dead-letters.ts";
import { releaseDueEvents } from "#store/handling/open-work.ts";

import { keys, startTestBroker, type TestBroker } from "../broker/test-broker.ts";
import { createHandling } from "../support/handling.ts";
import { createRecordingLog, type RecordingLog } from "../support/recording-log.ts";
import { openTestStore } from "../support/store.ts";

export interface Rig extends OpenDatabase, TestBroker {
  url: string;
  operations: Operations;
  api: QstashApi;
  recording: RecordingLog;
  /** What the broker called, with the answers' statuses. */
  calls: { path: string; body: string; status: number }[];
  maintain(): Promise<MaintenanceResult>;
  /** What a route answers instead, by its path. */
  answers: Map<string, () => Response>;
  /** For alerts to these addresses. */
  alerting: (...urls: string[]) => Alerting;
}

export interface RigOptions {
  message?: Handler;
  comment?: Handler;
  /** Attempts after the first. */
  retries?: number;
  parallelism?: number | null;
}

export async function startRig({ message, comment, retries = 0, parallelism = null }: RigOptions = {}): Promise<Rig> {
  const store = await openTestStore();
  const broker = await startTestBroker({ clock: fastClock(60) });
  const recording = createRecordingLog();
  const calls: Rig["calls"] = [];
  const answers: Rig["answers"] = new Map();
  const server = createServer((incoming, outgoing) => {
    void answer(incoming).then(async (response) => {
      outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text());
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;

  const { log } = recording;
  const network = { fetch, clock: systemClock };
  const qstash = { qstashUrl: broker.broker.url, token: keys.token, relayUrl: url, bypassSecret: null };
  const operations: Operations = {
    db: store.db,
    publisher: createQstashMessagePublisher({ ...qstash, ...network }),
    reclassify,
    newId: randomUUID,
    clock: systemClock,
    log,
  };
  const api = createQstashApi({ url: broker.broker.url, token: keys.token, timeoutMs: 5_000, ...network });
  const maintain = () => {
    const retention = { payloadDays: 0, deliveryDays: 90 };
    const parts = createMaintenanceParts({
      operations,
      wakeDrain: () => {},
      api,
      pause: createQstashPause(api, parallelism),
      relayUrls: [url],
      retention,
    });
    return runMaintenance({ db: store.db, parts, clock: systemClock, log });
  };
  let receivers: string[] = [];
  const alerting: Rig["alerting"] = (...urls) => {
    receivers = urls;
    const addresses = createAlertAddresses(urls);
    return {
      ...operations,
      ...network,
      addresses,
      secret: "s".repeat(32),
      relayUrl: url,
      queue: queueCapabilities.qstash,
      probePairsPerDay: 0,
    };
  };
  const handling = createHandling(store.db, message, {
    publisher: operations.publisher,
    retries,
    handlers: comment === undefined ? {} : { comment },
  });
  const pending = new Set<Promise<unknown>>();
  const waitUntil = (work: Promise<unknown>) => void pending.add(work);
  onTestFinished(async () => {
    await Promise.allSettled(pending);
  });

  async function answer(incoming: IncomingMessage): Promise<Response> {
    const path = incoming.url ?? "";
    const body = await text(incoming);
    const headers = new Headers();
    for (const [name, value] of Object.entries(incoming.headers)) headers.set(name, String(value));
    const request = new Request(`${url}${path}`, { method: "POST", headers, body });
    const response = answers.get(path)?.() ?? (await route(path, request));
    calls.push({ path, body, status: response.status });
    return response;
  }

  async function route(path: string, request: Request): Promise<Response> {
    const readQstash = () => ({ ...keys, urls: [`${url}${path}`] });
    const clock = systemClock;
    const answerCall = createAnswerQstash({ readQstash, digests: nodeDigests, clock, log });
    const openHandlers = () => handling;
    switch (path) {
      case "/api/qstash/instagram-ingestion":
        return answerIngestion(request, answerCall, {
          clock,
          openHandlers,
          waitUntil,
          saveUndecodable: (letter) =>
            saveUndecodable(letter, { db: store.db, relayUrls: [url], path, deployment: null }),
        });
      case "/api/qstash/handlers":
        return answerHandlers(request, answerCall, { clock, openHandlers });
      case "/api/qstash/maintenance":
        return answerMaintenance(request, answerCall, {
          run: maintain,
          openOperations: () => operations,
          openBackfilling: () => expect.unreachable(),
          sendNotice: (id) => sendNotices(alerting(...receivers), id),
        });
      case "/api/qstash/instagram-failure":
        return answerFailure(request, answerCall, {
          clock,
          save: (letter) => saveBatchLetter(store.db, letter),
          release: (ids) => releaseDueEvents(store.db, ids),
        });
      default:
        return new Response(null, { status: 404 });
    }
  }

  return { ...store, ...broker, url, operations, api, recording, calls, maintain, answers, alerting };
}

/** Delays pass so many times faster; QStash delays by whole seconds. */
function fastClock(times: number): Clock {
  const startMs = systemClock.nowMs();
  const monotonicStartMs = systemClock.monotonicMs();
  const elapsed = () => (systemClock.monotonicMs() - monotonicStartMs) * times;
  return {
    nowMs: () => Math.floor(startMs + elapsed()),
    monotonicMs: elapsed,
    after: (delayMs, callback) => systemClock.after(delayMs / times, callback),
  };
}
