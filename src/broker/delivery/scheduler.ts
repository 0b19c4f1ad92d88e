import type { Clock } from "#platform/clock.ts";
import { describeCause, type Log } from "#platform/log.ts";

import { prepare } from "./acceptor.ts";
import { ApiError } from "../api/api-error.ts";
import { parseCron } from "./cron.ts";
import { resolveDestination } from "../api/destination.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { FlowControls } from "../store/flow-controls.ts";
import { laneOf } from "../lane.ts";
import type { NewMessage } from "../store/message-rows.ts";
import type { Queues } from "../store/queues.ts";
import { createRepeater } from "./repeater.ts";
import type { Schedule, ScheduleStore } from "../store/schedule-store.ts";
import type { UrlGroupStore } from "../store/url-group-store.ts";

export interface SchedulerOptions {
  schedules: ScheduleStore;
  urlGroups: UrlGroupStore;
  dispatcher: Dispatcher;
  flowControls: FlowControls;
  queues: Queues;
  clock: Clock;
  newId: () => string;
  log: Log;
}

/** Publishes the messages of schedules when they are due. A time that passed while the broker was down fires once. */
export interface Scheduler {
  start(): void;
  /** A schedule was created, changed or resumed: the next time may be another. */
  reconsider(): void;
  stop(): Promise<void>;
}

const storeRetryMs = 1000;
const sleepMsMax = 3_600_000;

/** Creates the scheduler, which publishes what schedules are due; it does nothing before `start`. */
export function createScheduler(options: SchedulerOptions): Scheduler {
  const { schedules, dispatcher, clock, newId, log } = options;
  const rounds = createRepeater(runRound);
  let isRunning = false;
  let cancelWake = () => {};

  async function runRound(): Promise<void> {
    cancelWake();
    if (!isRunning) return;
    let wakeAtMs: number | undefined;
    try {
      const failedIds = await fireDue();
      wakeAtMs = await schedules.readNextAtMs(failedIds);
      if (failedIds.length > 0) wakeAtMs = Math.min(wakeAtMs ?? Number.POSITIVE_INFINITY, clock.nowMs() + storeRetryMs);
    } catch (thrown) {
      log.error("broker.store_failed", { during: "schedules", ...describeCause(thrown) });
      wakeAtMs = clock.nowMs() + storeRetryMs;
    }
    if (wakeAtMs === undefined || !isRunning) return;
    cancelWake = clock.after(Math.min(Math.max(0, wakeAtMs - clock.nowMs()), sleepMsMax), () => void rounds.request());
  }

  /** Fires all schedules that are due; resolves with the ids of those that failed, which hold back no other. */
  async function fireDue(): Promise<string[]> {
    const failedIds: string[] = [];
    for (;;) {
      const due = await schedules.readDue(clock.nowMs(), failedIds);
      if (due.length === 0 || !isRunning) return failedIds;
      for (const schedule of due) {
        const { scheduleId } = schedule;
        try {
          await fire(schedule);
        } catch (thrown) {
          log.error("broker.store_failed", { during: "schedules", scheduleId, ...describeCause(thrown) });
          failedIds.push(scheduleId);
        }
      }
    }
  }

  async function fire(schedule: Schedule): Promise<void> {
    const nowMs = clock.nowMs();
    const messages = await createMessages(schedule, nowMs);
    await prepare(messages, options);
    // An expression without a next time, as after its only year, is looked at again after a year.
    const nextAtMs = parseCron(schedule.cron, nowMs)?.next(nowMs) ?? nowMs + 365 * 86_400_000;
    if (!(await schedules.fire(schedule, nextAtMs, messages, nowMs))) return;
    log.info("broker.schedule_fired", { scheduleId: schedule.scheduleId, messages: messages.length });
    for (const message of messages) dispatcher.expect({ lane: laneOf(message), dueAtMs: message.notBeforeMs });
  }

  async function createMessages({ template, body, ...schedule }: Schedule, nowMs: number): Promise<NewMessage[]> {
    try {
      const { topicName, endpoints } = await resolveDestination(schedule.destination, options.urlGroups);
      return endpoints.map(({ name, url }) => ({
        ...template,
        url,
        topicName,
        endpointName: name,
        scheduleId: schedule.scheduleId,
        body,
        messageId: `msg_${newId()}`,
        createdAtMs: nowMs,
        notBeforeMs: nowMs + schedule.delayMs,
      }));
    } catch (thrown) {
      if (!(thrown instanceof ApiError)) throw thrown;
      // Its URL group is gone; it may come back.
      log.warn("broker.schedule_fired", { scheduleId: schedule.scheduleId, messages: 0, error: thrown.message });
      return [];
    }
  }

  return {
    start() {
      isRunning = true;
      void rounds.request();
    },
    reconsider: () => void rounds.request(),
    async stop() {
      isRunning = false;
      cancelWake();
      await rounds.idle();
      cancelWake();
    },
  };
}
