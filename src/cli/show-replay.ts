import type { DescribedReplay } from "#operations/describe-replay.ts";

import { drawTable, showCell } from "./table.ts";
import { alignRows, type Paint } from "./terminal.ts";

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
export function showPlan(replay: DescribedReplay, paint: Paint): string {
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
      ["Happened", `${plan.oldest ?? "–"} to ${plan.newest ?? "–"}`],
      ["Age", `${lt24h} under 24 hours, ${lt7d} under 7 days, ${older} older`],
      ["QStash messages", String(plan.qstashMessages)],
      ["Takes about", `${Math.ceil(plan.estimatedMs / 1000)} s`],
      ["Start before", plan.expiresAt],
    ],
    paint,
  );
  const kinds = Object.entries(plan.byKind).map(([kind, count]) => [kind, count]);
  const table = kinds.length === 0 ? [] : [drawTable(["Kind", "Events"], kinds, paint)];
  return [facts, ...table, ...plan.warnings.map((text) => paint("yellow", text))].join("\n");
}

/** How far a replay is, or how it ended. */
export function showReplay(replay: DescribedReplay, paint: Paint): string {
  const names = ["id", "state", "mode", "reason", "actor", "count", "batches", "done", "failed", "skipped", "pending"];
  const times = ["stoppedBecause", "createdAt", "startedAt", "finishedAt"];
  const rows = [...names, ...times].map((name) => {
    const value = replay[name];
    return [name, showCell(typeof value === "number" ? value : ((value as string | null) ?? null))] as const;
  });
  return alignRows(rows, paint);
}

/** The newest replays as a table. */
export function showReplays(replays: readonly DescribedReplay[], paint: Paint): string {
  const head = ["Replay", "State", "Mode", "Events", "Done", "Failed", "Skipped", "Created", "Reason"];
  const rows = replays.map(({ id, state, mode, count, done, failed, skipped, createdAt, reason }) => {
    return [id, state, mode, count, done, failed, skipped, createdAt, reason];
  });
  return rows.length === 0 ? "No replays." : drawTable(head, rows, paint);
}
