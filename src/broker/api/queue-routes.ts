import type { Clock } from "#platform/clock.ts";

import { ApiError } from "./api-error.ts";
import { type Api, readJsonBody } from "./api-request.ts";
import type { Dispatcher } from "../delivery/dispatcher.ts";
import { assertName, decodeSegment } from "./names.ts";
import type { Queue, Queues } from "../store/queues.ts";

export interface QueueRoutes {
  queues: Queues;
  dispatcher: Dispatcher;
  clock: Clock;
}

/** No plan has more; a Postgres integer would hold it. */
const parallelismMax = 1000;

/** `/v2/queues`. Enqueuing is a kind of publish. */
export function registerQueueRoutes(api: Api, { queues, dispatcher, clock }: QueueRoutes): void {
  api.get("/v2/queues", async (context) => {
    const lags = await queues.readLags();
    return context.json(queues.list().map((queue) => toJson(queue, lags)));
  });

  api.get("/v2/queues/:name", async (context) => {
    const queue = queues.get(nameOf(context.req.param("name")));
    if (!queue) throw new ApiError(404, "queue not found");
    return context.json(toJson(queue, await queues.readLags()));
  });

  api.post("/v2/queues", async (context) => {
    const { queueName, parallelism = 1, paused }: Record<string, unknown> = Object(await readJsonBody(context));
    if (typeof queueName !== "string") throw new ApiError(400, "the body has no queueName");
    if (!Number.isInteger(parallelism) || Number(parallelism) < 1) {
      throw new ApiError(400, "invalid parallelism: not a whole number above 0");
    }
    if (Number(parallelism) > parallelismMax) throw new ApiError(412, "quota maxQueueParallelism exceeded");
    if (paused !== undefined && typeof paused !== "boolean") throw new ApiError(400, "invalid paused: not a boolean");
    await change(queueName, {
      parallelism: Number(parallelism),
      ...(paused === undefined ? {} : { isPaused: paused }),
    });
    return context.json({});
  });

  api.post("/v2/queues/:name/pause", async (context) => {
    await change(context.req.param("name"), { isPaused: true });
    return context.json({});
  });

  api.post("/v2/queues/:name/resume", async (context) => {
    await change(context.req.param("name"), { isPaused: false });
    return context.json({});
  });

  api.delete("/v2/queues/:name", async (context) => {
    await queues.remove(nameOf(context.req.param("name")), clock.nowMs());
    return context.json({});
  });

  async function change(name: string, to: Partial<Pick<Queue, "parallelism" | "isPaused">>): Promise<void> {
    const queueName = nameOf(name);
    await queues.change(queueName, to, clock.nowMs());
    await dispatcher.reconsider(queueName);
  }
}

function nameOf(segment: string): string {
  return assertName(decodeSegment(segment), "queue name");
}

function toJson(queue: Queue, lags: ReadonlyMap<string, number>): Record<string, unknown> {
  return {
    name: queue.name,
    createdAt: queue.createdAtMs,
    updatedAt: queue.updatedAtMs,
    parallelism: queue.parallelism,
    paused: queue.isPaused,
    lag: lags.get(queue.name) ?? 0,
  };
}
