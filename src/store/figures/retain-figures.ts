import type { Database } from "../connection/database.ts";
import { rowsPerStep } from "../retention/retention.ts";
import { changeFigures } from "./roll-up.ts";

const dayMs = 24 * 60 * 60_000;

/** Minutes are read for windows of an hour at most; three days of them show an incident of the weekend in detail. */
const minutesKeptDays = 3;
/** The longest windows that are read from hours, and from the days of one deployment. */
const windowDays = 31;

/**
 * One step of removing figures: minutes after three days, hours and the days of single deployments after `days`, and
 * series without figures. Days of all deployments together and the totals stay. Resolves with how many rows are gone; does
 * nothing while figures change elsewhere. Throws `STORE_UNAVAILABLE`.
 */
export async function retainFigures(db: Database, days: number, nowMs: number): Promise<number> {
  const before = (kept: number) => new Date(nowMs - kept * dayMs).toISOString();
  const keptDays = Math.max(days, windowDays);
  const removed = await changeFigures(db, async (client) => {
    const remove = async (table: string, condition: string) => {
      const { rowCount } = await client.query(
        `delete from relay.${table} where ctid = any (array(select ctid from relay.${table} t where ${condition} limit ${rowsPerStep}))`,
      );
      return rowCount ?? 0;
    };
    const minutes = await remove("figures", `tier = 'minute' and at < '${before(minutesKeptDays)}'`);
    const hours = await remove("figures", `tier = 'hour' and at < '${before(keptDays)}'`);
    const deployments = await remove(
      "figures",
      `tier = 'day' and at < '${before(keptDays)}'
        and exists (select from relay.measurement_series s where s.id = t.series_id and s.deployment <> '')`,
    );
    // Only then can a series have lost its last figure.
    if (hours + deployments === 0) return minutes;
    const series = await remove(
      "measurement_series",
      "deployment <> '' and not exists (select from relay.figures f where f.series_id = t.id)",
    );
    return minutes + hours + deployments + series;
  });
  return removed ?? 0;
}
