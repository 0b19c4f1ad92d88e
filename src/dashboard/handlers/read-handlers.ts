import { sql } from "drizzle-orm";
import * as v from "valibot";

import { windowEndingAt, type WindowName, windowNames } from "#measurements/runtime-comparison.ts";
import { countOf, distributionOf, labelsOf, latencyOf, type WindowFigure } from "#measurements/summarize-runtime.ts";
import type { Database } from "#store/connection/database.ts";

import { isoText } from "../iso-text.ts";
import { oneOf, parseQuery } from "../lists/query-parameters.ts";
import { readFigures } from "../runtimes/read-figures.ts";
import { type FailingKind, readFailingKinds } from "./read-failing-kinds.ts";

/** How the handlers of one kind of event did in a window. */
export interface HandlerSummary {
  kind: string;
  /** Calls, also those of retries and replays. */
  runs: number;
  /** Failed calls, and by the error's name. */
  failed: number;
  failures: Record<string, number>;
  /** Calls after the first for the same event. */
  retries: number;
  /** Of all calls, each percentile at most 1.1 % off. */
  handlerMs: { count: number; p50: number; p95: number } | null;
  /** Events that are open or retried now, whatever the window, and when the oldest of them was ingested. */
  open: number;
  oldestOpenAt: string | null;
  oldestOpenId: number | null;
}

type OpenName = "open" | "oldestOpenAt" | "oldestOpenId";

export interface HandlerReport {
  window: { from: string; to: string };
  handlers: HandlerSummary[];
  /** What fails now, whatever the window. */
  failing: FailingKind[];
}

export const handlerQuery = v.object({ window: v.optional(oneOf(windowNames), "1h") });

/** Reads the query of `/api/ops/handlers`; throws `REQUEST_INVALID`. */
export function parseHandlerWindow(params: URLSearchParams): WindowName {
  return parseQuery(handlerQuery, params).window;
}

/** How the handlers of each kind of event do, by the time of their calls, the most runs first. `rollUp`: see `readRuntimes`. */
export async function readHandlers(
  db: Database,
  name: WindowName,
  { nowMs, rollUp }: { nowMs: number; rollUp: () => Promise<void> },
): Promise<HandlerReport> {
  await rollUp();
  const window = windowEndingAt(name, nowMs);
  const [{ figures }, { rows: open }, failing] = await Promise.all([
    readFigures(db, window),
    db.execute<Pick<HandlerSummary, OpenName | "kind">>(sql`
      select kind, count::float8 as open, oldest_id::float8 as "oldestOpenId",
        ${isoText(sql`(select ingested_at from relay.events where id = oldest_id)`)} as "oldestOpenAt"
      from (select kind, count(*), min(event_id) as oldest_id from relay.event_work where state = 'open' group by kind) w
    `),
    readFailingKinds(db),
  ]);
  const ofHandlers = figures.filter(({ metric }) => metric.startsWith("handler"));
  const kinds = new Set([...ofHandlers, ...open].map(({ kind }) => kind));
  const handlers = [...kinds].map((kind) => ({
    ...summarize(
      kind,
      ofHandlers.filter((figure) => figure.kind === kind),
    ),
    ...(open.find((row) => row.kind === kind) ?? { open: 0, oldestOpenAt: null, oldestOpenId: null }),
  }));
  return {
    window: { from: new Date(window.fromMs).toISOString(), to: new Date(window.toMs).toISOString() },
    handlers: handlers.toSorted((a, b) => b.runs - a.runs || (a.kind < b.kind ? -1 : 1)),
    failing,
  };
}

function summarize(kind: string, figures: readonly WindowFigure[]): Omit<HandlerSummary, OpenName> {
  const times = latencyOf(distributionOf(figures, "handler"));
  return {
    kind,
    runs: times?.count ?? 0,
    failed: countOf(figures, "handlerFailure"),
    failures: labelsOf(figures, "handlerFailure"),
    retries: countOf(figures, "handlerRetry"),
    handlerMs: times === null ? null : { count: times.count, p50: times.p50, p95: times.p95 },
  };
}
