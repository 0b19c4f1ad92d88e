import type { Pool } from "pg";

import type { FlowControlSettings } from "../message.ts";

/** The limits of one flow-control key and what it has used of them. */
export interface FlowControl {
  key: string;
  /** `null`: no limit. */
  parallelismMax: number | null;
  rateMax: number | null;
  ratePeriodMs: number;
  /** Deliveries begun in the period that started at `ratePeriodStartMs`. */
  rateCount: number;
  ratePeriodStartMs: number;
  isPaused: boolean;
  isPinnedParallelism: boolean;
  isPinnedRate: boolean;
  usedAtMs: number;
}

/** All flow-control keys, in memory and in Postgres: the dispatcher asks for them before each claim. */
export interface FlowControls {
  load(): Promise<void>;
  get(key: string): FlowControl | undefined;
  list(): FlowControl[];
  /** Gives a key the limits of a publish, except those that are pinned. Writes only what changes. */
  apply(settings: FlowControlSettings, nowMs: number): Promise<void>;
  /** Changes a key, creating it if need be: a pause may come before the first publish. */
  change(key: string, change: Partial<FlowControl>, nowMs: number): Promise<void>;
  /** How many more deliveries may begin now, beside those in flight. */
  room(key: string, inFlight: number, nowMs: number): number;
  /** Counts deliveries that begin now. */
  count(key: string, deliveries: number, nowMs: number): Promise<void>;
  /** When a key whose rate is used up may go on; `undefined` if something else holds it. */
  opensAtMs(key: string, nowMs: number): number | undefined;
  /** Forgets keys that were not used for a day and hold nothing. */
  prune(nowMs: number): Promise<void>;
}

const dayMs = 86_400_000;

/** The statements about flow-control keys and what is known of them in memory. */
export function createFlowControls(pool: Pool): FlowControls {
  const controls = new Map<string, FlowControl>();

  const save = async (control: FlowControl): Promise<void> => {
    await pool.query({
      name: "save-flow-control",
      text: `insert into flow_controls (key, parallelism_max, rate_max, rate_period_ms, rate_count, rate_period_start_ms,
          is_paused, is_pinned_parallelism, is_pinned_rate, used_at_ms)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (key) do update set parallelism_max = $2, rate_max = $3, rate_period_ms = $4, rate_count = $5,
          rate_period_start_ms = $6, is_paused = $7, is_pinned_parallelism = $8, is_pinned_rate = $9, used_at_ms = $10`,
      values: [
        control.key,
        control.parallelismMax,
        control.rateMax,
        control.ratePeriodMs,
        control.rateCount,
        control.ratePeriodStartMs,
        control.isPaused,
        control.isPinnedParallelism,
        control.isPinnedRate,
        control.usedAtMs,
      ],
    });
  };

  // One change at a time, each made of what the one before it left: a count must not undo a pause.
  let lastChange: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = lastChange.then(work);
    lastChange = result.catch(() => {});
    return result;
  };
  const change = (key: string, nowMs: number, changed: (control: FlowControl) => FlowControl): Promise<void> =>
    inTurn(async () => {
      const control = { ...changed(controls.get(key) ?? createControl(key, nowMs)), usedAtMs: nowMs };
      await save(control);
      // After the database has it: what is in force is also what survives.
      controls.set(key, control);
    });

  return {
    async load() {
      const { rows } = await pool.query<FlowControl>(`
        select key, parallelism_max as "parallelismMax", rate_max as "rateMax", rate_period_ms as "ratePeriodMs",
          rate_count as "rateCount", rate_period_start_ms as "ratePeriodStartMs", is_paused as "isPaused",
          is_pinned_parallelism as "isPinnedParallelism", is_pinned_rate as "isPinnedRate", used_at_ms as "usedAtMs"
        from flow_controls`);
      for (const control of rows) controls.set(control.key, control);
    },

    get: (key) => controls.get(key),
    list: () => [...controls.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1)),

    async apply(settings, nowMs) {
      const known = controls.get(settings.key);
      const isFresh = known && nowMs - known.usedAtMs < dayMs / 2;
      if (isFresh && haveSameLimits(withLimits(known, settings), known)) return;
      await change(settings.key, nowMs, (control) => withLimits(control, settings));
    },

    change: (key, to, nowMs) => change(key, nowMs, (control) => ({ ...control, ...to })),

    room(key, inFlight, nowMs) {
      const control = controls.get(key);
      if (!control) return Number.POSITIVE_INFINITY;
      if (control.isPaused) return 0;
      return Math.min(
        (control.parallelismMax ?? Number.POSITIVE_INFINITY) - inFlight,
        (control.rateMax ?? Number.POSITIVE_INFINITY) - rateCountAt(control, nowMs),
      );
    },

    count: (key, deliveries, nowMs) =>
      inTurn(async () => {
        const control = controls.get(key);
        if (!control) return;
        const continues = isInPeriod(control, nowMs);
        const counted = {
          ...control,
          rateCount: (continues ? control.rateCount : 0) + deliveries,
          ratePeriodStartMs: continues ? control.ratePeriodStartMs : nowMs,
          usedAtMs: nowMs,
        };
        controls.set(key, counted);
        // Without a rate, nothing depends on the count after a restart.
        if (control.rateMax !== null) await save(counted);
      }),

    opensAtMs(key, nowMs) {
      const control = controls.get(key);
      if (!control || control.isPaused || control.rateMax === null) return undefined;
      return rateCountAt(control, nowMs) < control.rateMax
        ? undefined
        : control.ratePeriodStartMs + control.ratePeriodMs;
    },

    prune: (nowMs) =>
      inTurn(async () => {
        const unused = [...controls.values()].filter(
          (control) =>
            control.usedAtMs + Math.max(dayMs, control.ratePeriodMs) < nowMs &&
            !(control.isPaused || control.isPinnedParallelism || control.isPinnedRate),
        );
        if (unused.length === 0) return;
        const { rows } = await pool.query<{ key: string }>(
          `delete from flow_controls where key = any($1::text[])
             and not exists (select from messages where flow_control_key = key and state <> 'dead') returning key`,
          [unused.map(({ key }) => key)],
        );
        for (const { key } of rows) controls.delete(key);
      }),
  };
}

function withLimits(control: FlowControl, { parallelism, rate, periodSeconds }: FlowControlSettings): FlowControl {
  return {
    ...control,
    ...(control.isPinnedParallelism ? {} : { parallelismMax: parallelism }),
    ...(control.isPinnedRate ? {} : { rateMax: rate, ...withPeriod(control, periodSeconds * 1000) }),
  };
}

/** What was counted in a period of another length says nothing about this one. */
function withPeriod(control: FlowControl, ratePeriodMs: number): Partial<FlowControl> {
  return control.ratePeriodMs === ratePeriodMs ? {} : { ratePeriodMs, rateCount: 0, ratePeriodStartMs: 0 };
}

/** The count of the period that is running; a period begins with a delivery. */
export function rateCountAt(control: FlowControl, nowMs: number): number {
  return isInPeriod(control, nowMs) ? control.rateCount : 0;
}

function isInPeriod(control: FlowControl, nowMs: number): boolean {
  return nowMs < control.ratePeriodStartMs + control.ratePeriodMs;
}

function haveSameLimits(a: FlowControl, b: FlowControl): boolean {
  return a.parallelismMax === b.parallelismMax && a.rateMax === b.rateMax && a.ratePeriodMs === b.ratePeriodMs;
}

function createControl(key: string, nowMs: number): FlowControl {
  return {
    key,
    parallelismMax: null,
    rateMax: null,
    ratePeriodMs: 1000,
    rateCount: 0,
    ratePeriodStartMs: nowMs,
    isPaused: false,
    isPinnedParallelism: false,
    isPinnedRate: false,
    usedAtMs: nowMs,
  };
}
