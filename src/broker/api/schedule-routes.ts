import type { Clock } from "#platform/clock.ts";

import { ApiError } from "./api-error.ts";
import { type Api, type ApiContext, callerIpOf, headersOf, readBody, targetOf } from "./api-request.ts";
import { type CronTimes, parseCron } from "../delivery/cron.ts";
import { resolveDestination } from "./destination.ts";
import type { Limits } from "../limits.ts";
import { toBodyJson, toCallbackJson, toFlowControlJson, toLabelJson } from "./message-json.ts";
import { assertName, decodeSegment } from "./names.ts";
import { readHeader } from "./publish-headers.ts";
import { assertHonoured, parsePublishRequest, publishDefaults } from "./publish-request.ts";
import { redactBody, redactHeader } from "./redaction.ts";
import type { MessageOutcome, Schedule, ScheduleStore } from "../store/schedule-store.ts";
import type { Scheduler } from "../delivery/scheduler.ts";
import type { UrlGroupStore } from "../store/url-group-store.ts";

export interface ScheduleRoutes {
  schedules: ScheduleStore;
  scheduler: Scheduler;
  urlGroups: UrlGroupStore;
  limits: Limits;
  clock: Clock;
  newId: () => string;
}

const ownHeaders = ["upstash-cron", "upstash-schedule-id", "upstash-queue-name"];

/** `/v2/schedules`. */
export function registerScheduleRoutes(api: Api, options: ScheduleRoutes): void {
  const { schedules, scheduler, clock } = options;

  api.get("/v2/schedules", async (context) => {
    const all = await schedules.list();
    const outcomes = await schedules.readOutcomes(all.flatMap(({ lastMessageIds }) => lastMessageIds));
    return context.json(all.map((schedule) => toJson(schedule, outcomes)));
  });

  api.get("/v2/schedules/:scheduleId", async (context) => {
    const schedule = await readSchedule(context.req.param("scheduleId"));
    return context.json(toJson(schedule, await schedules.readOutcomes(schedule.lastMessageIds)));
  });

  api.delete("/v2/schedules/:scheduleId", async (context) => {
    if (!(await schedules.remove(nameOf(context.req.param("scheduleId"))))) throw notFound();
    return context.json({});
  });

  // Upstash documents POST, its TypeScript SDK sends PATCH.
  for (const method of ["POST", "PATCH"]) {
    for (const [action, isPaused] of [
      ["pause", true],
      ["resume", false],
    ] as const) {
      api.on(method, `/v2/schedules/:scheduleId/${action}`, async (context) => {
        const { scheduleId, cron, nextAtMs } = await readSchedule(context.req.param("scheduleId"));
        const nowMs = clock.nowMs();
        // What would have fired during the pause is left out.
        const resumedAtMs = parseCron(cron, nowMs)?.next(nowMs) ?? nextAtMs;
        if (!(await schedules.pause(scheduleId, isPaused, isPaused ? nextAtMs : resumedAtMs))) throw notFound();
        scheduler.reconsider();
        return context.json({});
      });
    }
  }

  api.post("/v2/schedules/*", async (context) => {
    const schedule = await parseSchedule(context, options);
    await schedules.save(schedule);
    scheduler.reconsider();
    return context.json({ scheduleId: schedule.scheduleId });
  });

  async function readSchedule(segment: string): Promise<Schedule> {
    const schedule = await schedules.read(nameOf(segment));
    if (!schedule) throw notFound();
    return schedule;
  }
}

async function parseSchedule(context: ApiContext, options: ScheduleRoutes): Promise<Schedule> {
  const { limits } = options;
  const [path, query] = targetOf(context.env.incoming);
  const target = path.slice("/v2/schedules/".length) + (query === "" ? "" : `?${query}`);
  const tooLarge = new ApiError(412, "quota maxMessageSize exceeded");
  const body = await readBody(context.env.incoming, limits.messageBytesMax, tooLarge);
  const nowMs = options.clock.nowMs();
  const { settings, topicName, endpoints } = await resolveDestination(target, options.urlGroups);
  const headers = new Map(headersOf(context));
  for (const [name, value] of settings) if (!headers.has(name)) headers.set(name, [value]);
  assertHonoured(headers, ownHeaders);

  const cron = (readHeader(headers, "upstash-cron") ?? "").trim();
  const queueName = readHeader(headers, "upstash-queue-name");
  const givenId = readHeader(headers, "upstash-schedule-id");
  const through = { topicName, queueName: queueName ? assertName(queueName, "queue name") : null };
  const defaults = publishDefaults(callerIpOf(context), through);
  const url = endpoints[0]?.url ?? "";
  const publication = parsePublishRequest({ url, headers, body, nowMs, limits, defaults });
  const { body: _body, notBeforeMs, ...template } = publication;
  return {
    scheduleId: givenId ? assertName(givenId, "schedule id") : `scd_${options.newId()}`,
    cron,
    destination: topicName ?? url,
    template,
    body,
    delayMs: notBeforeMs - nowMs,
    isPaused: false,
    createdAtMs: nowMs,
    lastAtMs: null,
    nextAtMs: assertCron(cron, nowMs).next(nowMs) ?? nowMs,
    lastMessageIds: [],
  };
}

function assertCron(cron: string, nowMs: number): CronTimes {
  const times = parseCron(cron, nowMs);
  if (!times) throw new ApiError(400, "invalid Upstash-Cron: not a cron expression of five fields that is ever due");
  return times;
}

function nameOf(segment: string): string {
  return assertName(decodeSegment(segment), "schedule id");
}

function notFound(): ApiError {
  return new ApiError(404, "schedule not found");
}

/** What is `undefined` is left out of the JSON. */
function toJson(schedule: Schedule, outcomes: ReadonlyMap<string, MessageOutcome>): Record<string, unknown> {
  const { template } = schedule;
  const states = schedule.lastMessageIds.map((messageId) => [messageId, outcomes.get(messageId) ?? "SUCCESS"]);
  return {
    scheduleId: schedule.scheduleId,
    cron: schedule.cron,
    destination: schedule.destination,
    createdAt: schedule.createdAtMs,
    method: template.method,
    header: redactHeader(template.header, template.redact),
    ...toBodyJson("body", redactBody(schedule.body, template.redact)),
    retries: template.maxRetries,
    retryDelayExpression: template.retryDelay ?? undefined,
    timeout: template.timeoutMs ?? undefined,
    delay: schedule.delayMs > 0 ? Math.round(schedule.delayMs / 1000) : undefined,
    ...toCallbackJson(template, template.redact),
    callerIP: template.callerIp,
    isPaused: schedule.isPaused,
    queueName: template.queueName ?? undefined,
    ...toFlowControlJson(template.flowControl),
    ...toLabelJson(template.labels),
    lastScheduleTime: schedule.lastAtMs ?? undefined,
    nextScheduleTime: schedule.nextAtMs,
    lastScheduleStates: states.length > 0 ? Object.fromEntries(states) : undefined,
  };
}
