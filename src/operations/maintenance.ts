import type { Clock } from "#platform/clock.ts";
import { describeCause, type Log } from "#platform/log.ts";
import type { Database } from "#store/connection/database.ts";
import { finishPart, takePart } from "#store/operators/maintenance-parts.ts";

/** Something that has to be done now and then. */
export interface MaintenancePart {
  name: string;
  /** Does a bounded step of it, and ends soon after `deadlineMs` of the monotonic clock. `last`: what it resolved with before. */
  run: (deadlineMs: number, last: unknown) => Promise<Record<string, unknown>>;
}

/** What one part did. */
export type PartResult =
  | { name: string; ms: number; result: Record<string, unknown> }
  | { name: string; ms: number; error: string }
  | { name: string; skipped: "running elsewhere" | "no time left" };

export interface MaintenanceResult {
  ok: boolean;
  ms: number;
  parts: PartResult[];
}

export interface MaintenanceOptions {
  db: Database;
  parts: readonly MaintenancePart[];
  clock: Clock;
  log: Log;
}

/** For one call, within the time that QStash and Vercel allow a route. */
const budgetMs = 20_000;
/** One part with much to do must not use up the time of those after it. */
const partBudgetMs = 6_000;

/**
 * One bounded step of all that is due. Safe to call twice at once: a part that another process runs is left to it. A part
 * that fails is recorded and does not stop the others. Never rejects.
 */
export async function runMaintenance({ db, parts, clock, log }: MaintenanceOptions): Promise<MaintenanceResult> {
  const startedAt = clock.monotonicMs();
  const deadlineMs = startedAt + budgetMs;
  const results: PartResult[] = [];
  for (const part of parts) results.push(await runPart(part, deadlineMs, { db, clock, log }));
  const ms = Math.round(clock.monotonicMs() - startedAt);
  const failed = results.flatMap((part) => ("error" in part ? [part.name] : []));
  log.info("maintenance.finished", { ms, parts: results.length, failed });
  return { ok: failed.length === 0, ms, parts: results };
}

async function runPart(
  { name, run }: MaintenancePart,
  deadlineMs: number,
  { db, clock, log }: Omit<MaintenanceOptions, "parts">,
): Promise<PartResult> {
  const startedAt = clock.monotonicMs();
  if (startedAt >= deadlineMs) return { name, skipped: "no time left" };
  const elapsed = () => Math.round(clock.monotonicMs() - startedAt);
  try {
    const taken = await takePart(db, name);
    if (taken === undefined) return { name, skipped: "running elsewhere" };
    try {
      const result = await run(Math.min(deadlineMs, startedAt + partBudgetMs), taken.last);
      const ms = elapsed();
      await finishPart(db, { name, ms, result, errorName: null });
      log.debug("maintenance.part_finished", { part: name, ms });
      return { name, ms, result };
    } catch (thrown) {
      // What it resolved with before stays: since when ingestion is paused, for example, is known nowhere else.
      await finishPart(db, { name, ms: elapsed(), result: taken.last, errorName: nameOf(thrown) });
      throw thrown;
    }
  } catch (thrown) {
    log.error("maintenance.part_failed", { part: name, ...describeCause(thrown) });
    return { name, ms: elapsed(), error: nameOf(thrown) };
  }
}

function nameOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return typeof thrown;
  const { code } = thrown as { code?: unknown };
  return typeof code === "string" && /^[A-Z_]+$/.test(code) ? code : thrown.name;
}
