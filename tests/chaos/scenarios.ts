/**
 * The scenarios of `npm run chaos`, one for each fault. Proxies between the servers make most faults; others stop or kill a
 * server's process. To add one, append a `Scenario`; those of the application's database, of handlers
 * and of replays are in files of their own.
 */
import type { ChooseFault, Fault } from "../support/http-fault-proxy.ts";
import { hasPgBouncer } from "../support/pgbouncer.ts";

import { databaseScenarios, pooledScenarios } from "./database-scenarios.ts";
import { handlerScenarios } from "./handler-scenarios.ts";
import { pulledScenarios } from "./pulled-scenarios.ts";
import { replayScenarios } from "./replay-scenarios.ts";
import type { ChaosQueue } from "./own-queue.ts";
import type { Scenario } from "./scenario.ts";

/** A QStash that is not at its quickest, so that a process that ends always has something in its hands. */
const sluggish: Fault = { delayMs: 300, forwards: true };

export const scenarios: readonly Scenario[] = [
  { name: "nothing", title: "no fault, for comparison", requirement: "all", disturb: () => Promise.resolve() },
  {
    name: "qstash-slow",
    title: "QStash takes 2 s for each answer",
    requirement: "all",
    disturb: withQstash(() => ({ delayMs: 2_000, forwards: true })),
  },
  {
    name: "qstash-silent",
    title: "QStash takes the connection and never answers",
    requirement: "all",
    disturb: withQstash(() => ({ forwards: false, instead: "nothing" })),
  },
  {
    name: "qstash-unanswered",
    title: "QStash accepts the message and never answers",
    requirement: "all",
    disturb: withQstash(() => ({ forwards: true, instead: "nothing" })),
  },
  {
    name: "qstash-429",
    title: "QStash answers 429, every other time with when the limit ends",
    requirement: "all",
    disturb: withQstash((_request, index) => ({
      forwards: false,
      instead: { status: 429, headers: index % 2 === 0 ? limitEndsInSeconds(2) : {} },
    })),
  },
  {
    name: "qstash-500",
    title: "QStash answers 500",
    requirement: "all",
    disturb: withQstash(() => ({ forwards: false, instead: { status: 500 } })),
  },
  {
    name: "qstash-reset",
    title: "QStash accepts the message and resets the connection",
    requirement: "all",
    disturb: withQstash(() => ({ forwards: true, instead: "reset" })),
  },
  {
    name: "qstash-down",
    title: "QStash refuses connections",
    requirement: "all",
    async disturb({ qstash }, stage) {
      await stage.begin();
      await qstash.goDown();
      await stage.end();
      await qstash.comeUp();
    },
  },
  {
    name: "both-ways-down",
    title: "QStash refuses connections, the fallback's are reset",
    requirement: "named",
    async disturb({ qstash, entrance }, stage) {
      await stage.begin();
      entrance.setFault(({ path }) => (path === fallbackPath ? { forwards: false, instead: "reset" } : null));
      await qstash.goDown();
      await stage.end();
      await qstash.comeUp();
      entrance.setFault(null);
    },
  },
  ...databaseScenarios,
  ...(hasPgBouncer ? pooledScenarios : []),
  ...handlerScenarios,
  ...replayScenarios,
  {
    name: "consumer-failing",
    title: "the consumer answers 500: every other time without having run, else after it has stored",
    requirement: "all",
    async disturb({ entrance }, stage) {
      await stage.begin();
      const fail: ChooseFault = ({ path }, index) =>
        path.startsWith("/api/qstash/") ? { forwards: index % 2 === 0, instead: { status: 500 } } : null;
      entrance.setFault(fail);
      await stage.end();
      entrance.setFault(null);
    },
  },
  {
    name: "server-restarted",
    title: "the server gets SIGTERM and is started again; QStash takes 0.3 s",
    requirement: "all",
    disturb: withServerEnding("SIGTERM"),
  },
  {
    name: "killed-durable",
    title: "the server gets SIGKILL and is started again, ACK_MODE=durable; QStash takes 0.3 s",
    requirement: "all",
    env: { ACK_MODE: "durable" },
    mayRepeat: true,
    disturb: withServerEnding("SIGKILL"),
  },
  {
    name: "killed-immediate",
    title: "the server gets SIGKILL and is started again, ACK_MODE=immediate; QStash takes 0.3 s",
    requirement: "in flight",
    mayRepeat: true,
    disturb: withServerEnding("SIGKILL"),
  },
];

/** By the queue that the product is built for. Without QStash there are neither its faults nor those of its calls. */
export function scenariosOf(queue: ChaosQueue): readonly Scenario[] {
  if (queue === "qstash") return scenarios;
  const isOfQstash = ({ name }: Scenario) => /^(qstash|both-ways|consumer|retries)-/.test(name);
  return [...pulledScenarios[queue], ...scenarios.filter((one) => !isOfQstash(one) && !replayScenarios.includes(one))];
}

const fallbackPath = "/api/internal/fallback-ingestion";

function withQstash(choose: ChooseFault): Scenario["disturb"] {
  return async ({ qstash }, stage) => {
    await stage.begin();
    qstash.setFault(choose);
    await stage.end();
    qstash.setFault(null);
  };
}

function withServerEnding(signal: "SIGTERM" | "SIGKILL"): Scenario["disturb"] {
  return async ({ qstash, restartServer }, stage) => {
    qstash.setFault(() => sluggish);
    await stage.begin();
    await restartServer(signal);
    await stage.end();
    qstash.setFault(null);
  };
}

/** https://upstash.com/docs/qstash/api/api-ratelimiting: a Unix time in seconds. */
function limitEndsInSeconds(seconds: number): Record<string, string> {
  const endsAt = Math.ceil(Date.now() / 1_000) + seconds;
  return { "burst-ratelimit-limit": "100", "burst-ratelimit-remaining": "0", "burst-ratelimit-reset": String(endsAt) };
}
