import type { Pool } from "pg";

import type { Clock } from "#platform/clock.ts";

import { ApiError } from "./api-error.ts";
import { type Api, type ApiContext, readQuery } from "./api-request.ts";
import type { Dispatcher } from "../delivery/dispatcher.ts";
import { parseFlowLimit, parsePeriodSeconds } from "./flow-control-settings.ts";
import { type FlowControl, type FlowControls, rateCountAt } from "../store/flow-controls.ts";
import { slots } from "../delivery/lanes.ts";
import { decodeSegment } from "./names.ts";

export interface FlowControlRoutes {
  flowControls: FlowControls;
  dispatcher: Dispatcher;
  /** Counts what waits and what runs. */
  pool: Pool;
  clock: Clock;
}

/** `/v2/flowControl` and `/v2/globalParallelism`. */
export function registerFlowControlRoutes(api: Api, options: FlowControlRoutes): void {
  const { flowControls, dispatcher, clock } = options;

  api.get("/v2/flowControl", async (context) => {
    const search = readQuery(context).get("search")?.[0] ?? "";
    const found = flowControls.list().filter(({ key }) => key.includes(search));
    return context.json(await toJson(found, options));
  });

  api.get("/v2/flowControl/:key", async (context) => {
    const control = flowControls.get(decodeSegment(context.req.param("key")));
    if (!control) throw new ApiError(404, "flow control key not found");
    return context.json((await toJson([control], options))[0]);
  });

  const registerChange = (action: string, toChange: (context: ApiContext) => Partial<FlowControl>) => {
    api.post(`/v2/flowControl/:key/${action}`, async (context) => {
      const key = decodeSegment(context.req.param("key"));
      if (!/^[^\0]{1,256}$/u.test(key)) throw new ApiError(400, "invalid flow control key");
      const change = toChange(context);
      // What was published before is counted before: a reset is not undone by a delivery that had only not begun.
      await dispatcher.round();
      await flowControls.change(key, change, clock.nowMs());
      await dispatcher.reconsider();
      return context.json({});
    });
  };
  const freshRate = () => ({ rateCount: 0, ratePeriodStartMs: clock.nowMs() });
  registerChange("pause", () => ({ isPaused: true }));
  registerChange("resume", () => ({ isPaused: false }));
  registerChange("resetRate", freshRate);
  registerChange("reset", freshRate);
  registerChange("pin", (context) => ({ ...readPin(context), ...freshRate() }));
  registerChange("unpin", (context) => {
    const query = readQuery(context);
    return {
      ...(isTrue(query.get("parallelism")) ? { isPinnedParallelism: false } : {}),
      ...(isTrue(query.get("rate")) ? { isPinnedRate: false } : {}),
    };
  });

  api.get("/v2/globalParallelism", (context) =>
    context.json({ parallelismMax: slots, parallelismCount: dispatcher.deliveries() }),
  );
}

function readPin(context: ApiContext): Partial<FlowControl> {
  const query = readQuery(context);
  const read = (name: string) => query.get(name)?.[0];
  const [parallelism, rate, period] = [read("parallelism"), read("rate"), read("period")];
  if (parallelism === undefined && rate === undefined) {
    throw new ApiError(400, "pin needs parallelism or rate");
  }
  return {
    ...(parallelism === undefined
      ? {}
      : { parallelismMax: parseFlowLimit(parallelism, "parallelism"), isPinnedParallelism: true }),
    ...(rate === undefined
      ? {}
      : {
          rateMax: parseFlowLimit(rate, "rate"),
          ratePeriodMs: parsePeriodSeconds(period ?? "1") * 1000,
          isPinnedRate: true,
        }),
  };
}

function isTrue(values: readonly string[] | undefined): boolean {
  return values?.[0] === "true";
}

/** A limit that is not set is 0. */
async function toJson(
  controls: readonly FlowControl[],
  { pool, clock }: FlowControlRoutes,
): Promise<Record<string, unknown>[]> {
  const nowMs = clock.nowMs();
  const { rows } = await pool.query<{ key: string; waiting: number; active: number }>(
    `select flow_control_key as key, count(*) filter (where state = 'active') as active,
       count(*) filter (where state = 'waiting' and due_at_ms <= $2) as waiting
     from messages
     where flow_control_key = any($1::text[]) and (queue_name is not null or flow_control_key is not null)
       and state <> 'dead'
     group by flow_control_key`,
    [controls.map(({ key }) => key), nowMs],
  );
  const counts = new Map(rows.map((row) => [row.key, row]));
  return controls.map((control) => ({
    flowControlKey: control.key,
    waitListSize: counts.get(control.key)?.waiting ?? 0,
    parallelismMax: control.parallelismMax ?? 0,
    parallelismCount: counts.get(control.key)?.active ?? 0,
    rateMax: control.rateMax ?? 0,
    rateCount: rateCountAt(control, nowMs),
    ratePeriod: control.ratePeriodMs / 1000,
    ratePeriodStart: Math.floor(control.ratePeriodStartMs / 1000),
    isPaused: control.isPaused,
    isPinnedParallelism: control.isPinnedParallelism,
    isPinnedRate: control.isPinnedRate,
  }));
}
