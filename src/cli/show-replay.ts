import type { DescribedReplay } from "#operations/describe-replay.ts";

import { type Cell, drawTable, showCell } from "./table.ts";
import { alignRows, type Layout } from "./terminal.ts";

/** The members of a plan that people look at. */
interface Plan {
  byKind: Record<string, number>;
  byState: Record<string, number>;
  byAge: { lt24h: number; lt7d: number; older: number };
  oldest: string | null;
  newest: string | null;
  qstashMessages: number;
  estimatedMs: number;
  expiresAt: string;
  warnings: string[];
}

/** What a replay would do, before it is started. */
export function showPlan(replay: DescribedReplay, layout: Layout): string {
  const { paint, zone } = layout;
  const plan = replay as unknown as DescribedReplay & Plan;
  const counts = (of: Record<string, number>) =>
    Object.entries(of)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ");
  const { lt24h, lt7d, older } = plan.byAge;
  const facts = alignRows(
    [
      ["Replay", plan.id],
      ["Mode", plan.mode],
      ["Events", String(plan.count)],
      ["Batches never ingested", String(plan.batches)],
      ["By state", counts(plan.byState)],
      ["Happened", `${showCell(plan.oldest, zone)} to ${showCell(plan.newest, zone)}`],
      ["Age", `${lt24h} under 24 hours, ${lt7d} under 7 days, ${older} older`],
      ["Queue messages", String(plan.qstashMessages)],
      ["Takes about", `${Math.ceil(plan.estimatedMs / 1000)} s`],
      ["Start before", showCell(plan.expiresAt, zone)],
    ],
    paint,
  );
  const kinds = Object.entries(plan.byKind).map(([kind, count]) => [kind, count]);
  const table = kinds.length === 0 ? [] : [drawTable(["Kind", "Events"], kinds, paint, layout)];
  return [facts, ...table, ...plan.warnings.map((text) => paint("yellow", text))].join("\n");
}

/** How far a replay is, or how it ended. */
export function showReplay(replay: DescribedReplay, { paint, zone }: Layout): string {
  const names = ["id", "state", "mode", "reason", "actor", "count", "batches", "done", "failed", "skipped", "pending"];
  const times = ["stoppedBecause", "createdAt", "startedAt", "finishedAt"];
  const rows = [...names, ...times].map((name) => {
    const value = replay[name];
    return [name, showCell(typeof value === "number" ? value : ((value as string | null) ?? null), zone)] as const;
  });
  return alignRows(rows, paint);
}

/** The columns of the table of replays. */
export const replayHead = ["Replay", "State", "Mode", "Events", "Done", "Failed", "Skipped", "Created", "Reason"];

/** A row of it. */
export function replayRow({
  id,
  state,
  mode,
  count,
  done,
  failed,
  skipped,
  createdAt,
  reason,
}: DescribedReplay): Cell[] {
  return [id, state, mode, count, done, failed, skipped, createdAt, reason];
}
