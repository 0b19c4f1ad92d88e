import { pauseFor } from "#local/pause-for.ts";
import { sleep, systemClock } from "#platform/clock.ts";

import { eventually, findWithin } from "../support/eventually.ts";
import { createRandom } from "../support/mutate.ts";

import { type Account, drawUpAccount, readHandlerRuns, readRows, readWork } from "./account.ts";
import { countMet, type Effects, readEffects } from "./effects.ts";
import { judge } from "./judge.ts";
import { planDeliveries } from "./plan-deliveries.ts";
import type { Rig } from "./rig.ts";
import type { Scenario } from "./scenario.ts";
import { sendAsMeta } from "./send-as-meta.ts";

export interface RunOptions {
  deliveries: number;
  /** Deliveries a second. */
  rate: number;
  /** Before Meta sends again what was not acknowledged. */
  retryDelayMs: number;
  /** Of how many events the deliveries bring. */
  seed: number;
  /** The shortest time that a fault lasts. */
  faultMsMin: number;
  /** A fault lasts until its effects so far fulfil this, also when a busy machine takes longer to meet it. */
  isMet?: (effects: Effects) => boolean;
  /** How long everything may take to come to rest after the last acknowledgement. */
  restLimitMs: number;
  onProgress: (text: string) => void;
}

export interface ScenarioResult {
  name: string;
  title: string;
  tookMs: number;
  faultMs: number;
  account: Account;
  effects: Effects;
  /** What the scenario itself has counted. */
  notes: Record<string, number>;
  /** Why this is not what is required; empty if it is. */
  failures: string[];
}

/** Of the time that sending takes. */
const faultFrom = 0.2;
const faultTo = 0.6;
/** A delivery that failed once is made again after twelve seconds, and then has to succeed: the next wait is 148 s. */
const faultMsMax = 10_000;
const lookEveryMs = 150;
/** `npm start` has QStash call it every five minutes. */
const maintainEveryMs = 2_000;

/** Sends deliveries while the scenario disturbs, waits until nothing moves any more, and draws up the account. */
export async function runScenario(scenario: Scenario, rig: Rig, options: RunOptions): Promise<ScenarioResult> {
  const clock = systemClock;
  const { name, title } = scenario;
  const startedMs = clock.monotonicMs();
  rig.observe();
  const metBefore = countMet(rig);
  const handlerRunsBefore = await readHandlerRuns(rig.databaseUrl);
  const readStored = async () => ({
    rows: await readRows(rig.databaseUrl, name),
    handlerRuns: (await readHandlerRuns(rig.databaseUrl)) - handlerRunsBefore,
    work: await readWork(rig.databaseUrl),
  });

  const isMet = () => options.isMet?.(readEffects([], rig, metBefore)) ?? true;
  const notes: Record<string, number> = {};
  const { sent, faultMs } = await sendDisturbed(scenario, rig, { ...options, isMet, notes });
  let maintainedMs = Number.NEGATIVE_INFINITY;
  const isAtRest = await findWithin(options.restLimitMs, async () => {
    if (clock.monotonicMs() - maintainedMs >= maintainEveryMs) {
      await rig.maintain();
      maintainedMs = clock.monotonicMs();
    }
    const waiting = await rig.countWaiting();
    const forwards = rig.serverLog.open.size;
    const { rows, work } = await readStored();
    const open = rows.filter(({ handled }) => !handled).length - work.dead;
    options.onProgress(`${forwards} forwards and ${waiting} QStash messages on their way, ${open} events open`);
    if (forwards === 0 && waiting === 0 && open <= 0) return true;
    // Looking takes the database's time, too.
    await sleep(clock, lookEveryMs);
    return false;
  });

  const account = drawUpAccount(sent, await readStored());
  const effects = readEffects(sent, rig, metBefore);
  const { cutOff, lostKeys, lostKnowingly } = rig.serverLog;
  const repeated = scenario.mayRepeat ? 0 : effects.handlers.succeededTwice;
  const evidence = { cutOff, lostKeys, lostKnowingly, deadLetters: effects.qstash.deadLetters, repeated };
  const failures = judge(scenario.requirement, account, evidence);
  if (!isAtRest) failures.unshift("did not come to rest");
  return { name, title, tookMs: clock.monotonicMs() - startedMs, faultMs, account, effects, notes, failures };
}

interface DisturbOptions extends RunOptions {
  isMet: () => boolean;
  notes: Record<string, number>;
}

async function sendDisturbed(scenario: Scenario, rig: Rig, options: DisturbOptions) {
  const clock = systemClock;
  const { deliveries: count, rate, retryDelayMs, seed, faultMsMin, onProgress } = options;
  const random = createRandom(seed);
  const deliveries = planDeliveries(scenario.name, count, { random, nowMs: clock.nowMs() });
  const sendingMs = (count / rate) * 1_000;
  const fromMs = sendingMs * faultFrom;
  const faultMs = Math.min(faultMsMax, Math.max(faultMsMin, sendingMs * faultTo - fromMs));

  const failed = new AbortController();
  const { signal } = failed;
  const startedMs = clock.monotonicMs();
  const at = async (ms: number) => {
    await pauseFor(clock, startedMs + ms - clock.monotonicMs(), signal);
    signal.throwIfAborted();
  };
  const stage = {
    begin: () => at(fromMs),
    end: async () => {
      await at(fromMs + faultMs);
      await eventually("the fault has its effects", options.isMet, options.restLimitMs);
    },
    wait: async (ms: number) => {
      await pauseFor(clock, ms, signal);
      signal.throwIfAborted();
    },
    until: async (state: string, isReached: () => Promise<boolean>) => {
      const look = async () => {
        signal.throwIfAborted();
        if (await isReached()) return true;
        await sleep(clock, lookEveryMs);
        return false;
      };
      await eventually(state, look, options.restLimitMs);
    },
    note: (name: string, value: number) => void (options.notes[name] = value),
  };
  try {
    const { baseUrl, appSecret } = rig;
    const sending = sendAsMeta(deliveries, {
      baseUrl,
      appSecret,
      rate,
      retryDelayMs,
      clock,
      signal,
      onProgress: ({ sent, acked }) => onProgress(`${sent} of ${count} sent, ${acked} acked`),
    });
    const [sent] = await Promise.all([sending, scenario.disturb(rig, stage)]);
    return { sent, faultMs };
  } finally {
    failed.abort();
  }
}
