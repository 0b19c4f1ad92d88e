import { expect, test } from "vitest";

import { describeHandling } from "#dashboard/describe-handling.ts";
import { isMaintenanceOverdue, type OpenWork, readOpenWork } from "#dashboard/read-open-work.ts";

import { openTestStore } from "../support/store.ts";
import { eventRow, insertOpenEvent, type WorkRow } from "./rows.ts";

const at = new Date("2026-01-31T12:00:00.000Z");
const minute = 60_000;
const noMaintenance = { maintenanceRanAt: null, ingestionPausedSince: null };
const after = (ms: number) => new Date(at.getTime() + ms);

test("what is not handled is counted by state, with the oldest and with what waits for nobody", async () => {
  const { db } = await openTestStore();
  const inHours = new Date(Date.now() + 60 * minute);
  const open = (key: string, work: WorkRow, ingestedAt = at) =>
    insertOpenEvent(db, eventRow({ key, deliveryId: "d_1", ingestedAt }), work);
  expect(await readOpenWork(db)).toEqual({
    open: 0,
    retrying: 0,
    dead: 0,
    oldestAt: null,
    dueSince: null,
    maintenanceRanAt: null,
    ingestionPausedSince: null,
  });
  await open("dead", { state: "dead" }, after(-minute));
  await open("leased", { leasedUntil: inHours });
  await open("later", { nextAttemptAt: inHours, firstFailedAt: at });
  await open("due", { nextAttemptAt: after(minute) });
  await open("lease over", { nextAttemptAt: after(2 * minute), leasedUntil: after(3 * minute), deaths: 1 });
  expect(await readOpenWork(db)).toMatchObject({
    open: 2,
    retrying: 2,
    dead: 1,
    oldestAt: at.toISOString(),
    dueSince: after(minute).toISOString(),
  });
});

test.each<[boolean, string, Partial<OpenWork>]>([
  [true, "it has never run", {}],
  [true, "it ran long ago", { maintenanceRanAt: after(-16 * minute).toISOString() }],
  [false, "it ran lately", { maintenanceRanAt: after(-14 * minute).toISOString() }],
  [false, "the event has just become due", { dueSince: after(-minute / 2).toISOString() }],
  [false, "nothing waits", { dueSince: null }],
])("maintenance is overdue: %s if %s", (isOverdue, _name, rest) => {
  const dueSince = after(-2 * minute).toISOString();
  const work = { open: 1, retrying: 0, dead: 0, oldestAt: null, dueSince, ...noMaintenance, ...rest };
  expect(isMaintenanceOverdue(work, at.getTime())).toBe(isOverdue);
});

test.each([
  ["retry 3 of 8, next in 4 min", { state: "retrying", attempt: 3, nextAttemptAt: after(4.5 * minute) }],
  ["retry 8 of 8, next now", { state: "retrying", attempt: 8, nextAttemptAt: at }],
  ["dead after 9 attempts", { state: "dead", attempt: 9 }],
  ["dead after 1 attempt", { state: "dead", attempt: 1 }],
  ["handled at attempt 2", { state: "handled", attempt: 2 }],
  ["waits for its first attempt, next now", { state: "open", attempt: 0, nextAttemptAt: at }],
  ["erased", { state: "erased", attempt: 1 }],
] as const)("%s", (said, { state, attempt, ...rest }) => {
  const nextAttemptAt = "nextAttemptAt" in rest ? rest.nextAttemptAt.toISOString() : null;
  expect(describeHandling({ state, attempt, of: 9, nextAttemptAt }, at.getTime())).toBe(said);
});
