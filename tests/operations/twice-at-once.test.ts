/** Two operators do the same at once, or one acts on what another has changed: one gets an error, and nothing is done twice. */
import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import * as v from "valibot";

import { readDeadLetterGroup } from "#dashboard/repair/read-dead-letter-groups.ts";
import { decideGroup, groupRequest } from "#operations/change-group.ts";
import { changePause, readPause } from "#operations/pause.ts";
import { planReplay } from "#operations/plan-replay.ts";
import { planRequest } from "#operations/replay-request.ts";
import { beginReplay, cancelReplay } from "#operations/start-replay.ts";
import { RelayError } from "#platform/errors.ts";
import { createQstashPause } from "#queue/qstash/qstash-pause.ts";

import { eventually as until } from "../broker/test-broker.ts";
import { createHandling, ingest } from "../support/handling.ts";
import { testBatch, testEvent } from "../support/store.ts";
import { type Rig, startRig } from "./rig.ts";

/** The results of both, `ok` or the error with what it says to do. */
async function both(act: () => Promise<unknown>): Promise<string[]> {
  const settled = await Promise.allSettled([act(), act()]);
  const told = settled.map((one) =>
    one.status === "fulfilled"
      ? "ok"
      : one.reason instanceof RelayError
        ? `${one.reason.code}: ${one.reason.message}`
        : one.reason,
  );
  return told.toSorted((a, b) => String(b).localeCompare(String(a)));
}

async function storeDead({ db }: Pick<Rig, "db">): Promise<void> {
  const failing = createHandling(db, () => {
    throw new TypeError("no");
  });
  await ingest(testBatch("d1", [testEvent("m1")]), { ...failing, retries: 0 });
}

test("a replay is started once and cancelled once, a group is decided once, and a pause stands", async () => {
  const rig = await startRig({ parallelism: 10 });
  const { db, api, operations, recording } = rig;
  await storeDead(rig);

  const body = v.parse(planRequest, { filter: { state: "dead" }, reason: "mended" });
  const { id } = await planReplay(body, "ops", operations);
  // It stays planned until QStash calls, which it does not.
  rig.answers.set("/api/qstash/maintenance", () => new Response(null, { status: 503 }));
  expect(await both(() => beginReplay(id, undefined, operations))).toEqual([
    "ok",
    expect.stringMatching(/^CONFLICT: .*: watch it/),
  ]);
  await expect(beginReplay(id, undefined, operations)).rejects.toThrow(/is running already: watch it/);
  expect(recording.of("replay.started")).toHaveLength(1);
  expect(await both(() => cancelReplay(id, "ops", operations))).toEqual([
    "ok",
    "CONFLICT: The replay is cancelled already: there is nothing to cancel",
  ]);
  await expect(beginReplay(id, undefined, operations)).rejects.toThrow(/is cancelled already: plan another one/);
  const again = await planReplay(
    v.parse(planRequest, { filter: { state: "dead" }, mode: "again", reason: "x" }),
    "ops",
    operations,
  );
  await expect(beginReplay(again.id, 7, operations)).rejects.toThrow(
    'Confirm the number of events with "confirmCount": 1',
  );

  const { rows } = await db.execute<{ id: number }>(sql`select id::float8 as id from relay.dead_letter_groups`);
  const groupId = rows[0]?.id ?? 0;
  const { changedAt } = await readDeadLetterGroup(db, groupId);
  const decision = v.parse(groupRequest, { state: "acknowledged", seenChangedAt: changedAt });
  const options = { ...operations, actor: "ops" };
  expect(await both(() => decideGroup(groupId, decision, options))).toEqual([
    "ok",
    expect.stringMatching(/^CONFLICT: /),
  ]);

  const pause = { db, queue: createQstashPause(api, 10), nowMs: operations.clock.nowMs(), log: recording.log };
  expect(await both(() => changePause(true, pause))).toEqual(["ok", "ok"]);
  await until(async () => (await readPause(pause)).paused).toBe(true);
  expect(await both(() => changePause(false, pause))).toEqual(["ok", "ok"]);
  expect(await readPause(pause)).toMatchObject({ paused: false, since: null });
});
