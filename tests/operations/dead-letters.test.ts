import { expect, test } from "vitest";
import * as v from "valibot";

import { readDeadLetterGroups, parseDeadLetterGroupFilter } from "#dashboard/repair/read-dead-letter-groups.ts";
import { readDeadLetters, parseDeadLetterFilter } from "#dashboard/repair/read-dead-letters.ts";
import { decideGroup, groupRequest } from "#operations/change-group.ts";
import { readDescribedReplay } from "#operations/describe-replay.ts";
import { readWorkFacts } from "#operations/condition/read-work-facts.ts";
import { describeLetterBody } from "#operations/letter-body.ts";
import { planReplay } from "#operations/plan-replay.ts";
import { planRequest } from "#operations/replay-request.ts";
import { beginReplay } from "#operations/start-replay.ts";
import { systemClock } from "#platform/clock.ts";
import { readOperationTotals } from "#store/figures/metric-totals.ts";

import { eventually as until } from "../broker/test-broker.ts";
import { createHandling, ingest } from "../support/handling.ts";
import { testBatch, testEvent } from "../support/store.ts";
import { readKeys } from "../support/work.ts";
import { type Rig, startRig } from "./rig.ts";

const ingestion = "/api/qstash/instagram-ingestion";

async function publish({ client, url }: Rig, body: string, failureCallback = true): Promise<string> {
  const { messageId } = (await client.publish({
    url: `${url}${ingestion}`,
    body,
    retries: 0,
    ...(failureCallback ? { failureCallback: `${url}/api/qstash/instagram-failure` } : {}),
  })) as { messageId: string };
  return messageId;
}

/** QStash gives up a batch, because the consumer answers 503. */
async function giveUp(rig: Rig, body: string, failureCallback = true): Promise<string> {
  rig.answers.set(ingestion, () => Response.json({ error: { code: "STORE_UNAVAILABLE" } }, { status: 503 }));
  const messageId = await publish(rig, body, failureCallback);
  await until(async () => (await rig.client.dlq.listMessages({ filter: { messageId } })).messages).toHaveLength(1);
  if (failureCallback) await until(() => rig.calls.filter(({ path }) => path.endsWith("failure")).length).toBe(1);
  rig.answers.clear();
  return messageId;
}

const letters = async ({ pool }: Rig) => (await pool.query("select * from relay.dead_letters order by id")).rows;
const groups = async ({ db }: Rig, query = "") =>
  (await readDeadLetterGroups(db, parseDeadLetterGroupFilter(new URLSearchParams(query)))).groups;
/** What metrics and the status say of the groups. */
async function readCounted({ db }: Rig) {
  const { deadLetters } = await readWorkFacts(db, Date.now());
  const { openGroups = 0, newest = [] } = deadLetters ?? {};
  const isRegression = newest[0]?.isRegression;
  return { groups: (await readOperationTotals(db)).groups, openGroups, ...(isRegression ? { isRegression } : {}) };
}
const partOf = async (rig: Rig, name: string) => (await rig.maintain()).parts.find((part) => part.name === name);
const batch = JSON.stringify(testBatch("d1", [testEvent("a"), testEvent("b")]));

test("the failure callback, QStash's own list and a retry of the message make one dead letter, with all bytes", async () => {
  const rig = await startRig();
  const messageId = await giveUp(rig, batch);
  expect(await letters(rig)).toMatchObject([
    {
      message_id: messageId,
      status: 503,
      error_code: "STORE_UNAVAILABLE",
      attempts: 1,
      body_whole: true,
      batch_index: 0,
    },
  ]);
  expect(await partOf(rig, "dead-letters")).toMatchObject({ result: { seen: 1, recorded: 0 } });

  rig.answers.set(ingestion, () => new Response(null, { status: 503 }));
  await rig.client.dlq.retry({ filter: { messageId } });
  await until(() => rig.calls.filter(({ path }) => path.endsWith("failure")).length).toBe(2);
  expect(await letters(rig)).toHaveLength(1);
  await rig.maintain();
  expect(await letters(rig)).toHaveLength(1);
  const [letter] = await letters(rig);
  expect((letter as { body: Buffer }).body.toString()).toBe(batch);
  expect((letter as { expires_at: Date }).expires_at.getTime()).toBeGreaterThan(Date.now());
});

test("a batch without a failure callback is found in QStash's list, with its bytes; foreign messages are not", async () => {
  const rig = await startRig();
  await giveUp(rig, batch, false);
  await rig.client.publish({ url: `${rig.url}/other`, body: "x", retries: 0 });
  await until(async () => (await rig.client.dlq.listMessages()).messages).toHaveLength(2);
  expect(await partOf(rig, "dead-letters")).toMatchObject({ result: { seen: 1, recorded: 1 } });
  expect(await partOf(rig, "dead-letters")).toMatchObject({ result: { seen: 1, recorded: 0 } });
  expect(await letters(rig)).toMatchObject([{ body_whole: true, source: "qstash" }]);
});

test("a copy that the callback cut is replaced by the whole one from QStash's list", async () => {
  const rig = await startRig();
  await giveUp(rig, batch);
  await rig.pool.query("update relay.dead_letters set body = 'cut', body_whole = false");
  await rig.maintain();
  expect(await letters(rig)).toMatchObject([{ body: Buffer.from(batch), body_whole: true }]);
});

test("a message that is no batch is one dead letter, though the consumer and QStash both report it", async () => {
  const rig = await startRig();
  await publish(rig, "no batch");
  await until(() => rig.calls.filter(({ path }) => path.endsWith("failure")).length).toBe(1);
  await rig.maintain();
  expect(await letters(rig)).toMatchObject([{ status: 489, body: Buffer.from("no batch"), delivery_id: null }]);
  expect(await groups(rig)).toMatchObject([{ cause: "undecodable", errorCode: "BATCH_INVALID", count: 1, open: 1 }]);
});

test("a batch that was never ingested is ingested from our copy by a replay, which resolves it and drops the bytes", async () => {
  const rig = await startRig();
  await giveUp(rig, batch);
  const [group] = await groups(rig);
  const request = v.parse(planRequest, { filter: { group: group?.id }, reason: "up again" });
  const plan = await planReplay(request, "ops", rig.operations);
  expect(plan).toMatchObject({ count: 0, batches: 1 });
  await beginReplay(plan.id, undefined, rig.operations);
  await until(async () => (await readDescribedReplay(rig.db, plan.id)).state).toBe("finished");
  expect(await readDescribedReplay(rig.db, plan.id)).toMatchObject({ done: 1, failed: 0, skipped: 0 });
  expect(await readKeys(rig.pool, "handled")).toEqual(["message:1:a", "message:1:b"]);
  expect(await letters(rig)).toMatchObject([{ body: null, resolved_by: plan.id }]);
  expect(await groups(rig)).toMatchObject([{ state: "resolved", resolvedBy: plan.id, open: 0 }]);
});

test("the plan of a replay names the dead letters that it cannot take, for want of their bytes", async () => {
  const rig = await startRig();
  await giveUp(rig, batch);
  await rig.pool.query("update relay.dead_letters set body_whole = false");
  const [group] = await groups(rig);
  const plan = async (filter: Record<string, unknown>) =>
    planReplay(v.parse(planRequest, { filter, reason: "up again" }), "ops", rig.operations);
  expect(await plan({ group: group?.id })).toMatchObject({
    count: 0,
    batches: 0,
    lettersWithoutBatch: 1,
    warnings: [expect.stringContaining("not taken: 1.")],
  });
  expect(await plan({ kind: "message" })).toMatchObject({ lettersWithoutBatch: 0, warnings: [] });
});

test("a batch that QStash gives up again fails in the replay, and stays a dead letter with its bytes", async () => {
  const rig = await startRig();
  await giveUp(rig, batch);
  const request = v.parse(planRequest, { filter: { deliveryId: "d1" }, reason: "up again" });
  const { id } = await planReplay(request, "ops", rig.operations);
  rig.answers.set(
    ingestion,
    () => new Response(null, { status: 489, headers: { "upstash-nonretryable-error": "true" } }),
  );
  await beginReplay(id, undefined, rig.operations);
  await until(async () => (await readDescribedReplay(rig.db, id)).state).toBe("finished");
  expect(await readDescribedReplay(rig.db, id)).toMatchObject({ done: 0, failed: 1, skipped: 0 });
  expect(await letters(rig)).toMatchObject([{ body_whole: true, resolved_at: null, resolved_by: null, status: 489 }]);
});

test("a message to run handlers that QStash gives up is no dead letter: maintenance publishes its events again", async () => {
  const rig = await startRig();
  await ingest(testBatch("d1", [testEvent("a")]), {
    ...createHandling(rig.db, () => {
      throw new TypeError("no");
    }),
    publisher: { publish: () => Promise.resolve({ messageId: "msg_lost" }) },
  });
  await rig.pool.query("update relay.event_work set next_attempt_at = now(), queued_until = now() + interval '1 hour'");
  expect(await partOf(rig, "sweep")).toMatchObject({ result: { published: 0 } });
  rig.answers.set("/api/qstash/handlers", () => new Response(null, { status: 500 }));
  const body = '{"version":1,"eventIds":[1],"replay":null}';
  const failureCallback = `${rig.url}/api/qstash/instagram-failure`;
  await rig.client.publish({ url: `${rig.url}/api/qstash/handlers`, body, retries: 0, failureCallback });
  await until(() => rig.calls.length).toBe(2);
  rig.answers.clear();
  expect(await partOf(rig, "sweep")).toMatchObject({ result: { published: 1, messages: 1, left: 0 } });
  await until(() => readKeys(rig.pool, "handled")).toEqual(["message:1:a"]);
  expect(await letters(rig)).toEqual([]);
});

test("a group is decided about, recurs as a regression, and is resolved by itself", async () => {
  const rig = await startRig();
  const { db, pool } = rig;
  const fail = (mid: string, delivery: string) =>
    ingest(testBatch(delivery, [testEvent(mid)]), {
      ...createHandling(db, () => {
        throw new TypeError("no");
      }),
      retries: 0,
    });
  await fail("a", "d1");
  const [group] = await groups(rig);
  const id = group?.id ?? 0;
  const decide = (body: Record<string, unknown>) =>
    decideGroup(id, v.parse(groupRequest, body), { db, clock: systemClock, log: rig.operations.log, actor: "ops" });
  await decide({ state: "acknowledged", note: "looking" });
  expect(await groups(rig, "state=acknowledged")).toMatchObject([{ note: "looking", changedBy: "ops" }]);
  await decide({ state: "ignored", until: new Date(Date.now() + 60_000).toISOString() });
  expect(await groups(rig, "state=open")).toEqual([]);
  await pool.query("update relay.dead_letter_groups set ignored_until = now() - interval '1 second'");
  expect(await partOf(rig, "groups")).toMatchObject({ result: { reopened: 1 } });

  await decide({ state: "resolved" });
  expect(await groups(rig)).toMatchObject([{ state: "resolved", resolvedBy: "ops", open: 1 }]);
  expect(await partOf(rig, "groups")).toMatchObject({ result: { regressed: 0 } });
  await fail("b", "d2");
  // At once, and the same after maintenance.
  const [recurred] = await groups(rig, "state=open");
  expect(recurred).toMatchObject({ resolvedAt: null, resolvedBy: null, regressedAt: recurred?.lastAt });
  expect(await readCounted(rig)).toEqual({ groups: { open: 1 }, openGroups: 1, isRegression: true });
  expect(await partOf(rig, "groups")).toMatchObject({ result: { regressed: 1 } });
  expect(await groups(rig)).toEqual([recurred]);
  expect(rig.recording.of("dead_letter.regressed")).toMatchObject([{ groups: 1 }]);
  const [regressed] = await groups(rig);
  expect(regressed).toMatchObject({ state: "open", count: 2, open: 2 });
  expect(regressed?.regressedAt).not.toBeNull();

  // Instances of the deployment before are still failing: that is no regression.
  await decide({ state: "resolved", deployment: "build-2" });
  await fail("c", "d3");
  expect(await readCounted(rig)).toEqual({ groups: { resolved: 1 }, openGroups: 0 });
  expect(await partOf(rig, "groups")).toMatchObject({ result: { regressed: 0 } });

  await pool.query("update relay.dead_letters set resolved_at = now(), resolved_by = 'handled'");
  await decide({ state: "open" });
  expect(await groups(rig, "state=resolved")).toMatchObject([{ resolvedBy: "handled", regressedAt: null }]);
  expect(await partOf(rig, "groups")).toMatchObject({ result: { resolved: 1 } });
  expect(await groups(rig)).toMatchObject([{ state: "resolved", resolvedBy: "handled" }]);
  const seen = (await groups(rig))[0]?.changedAt;
  const atOnce = ["acknowledged", "resolved"].map((state) => decide({ state, seenChangedAt: seen }));
  const settled = await Promise.allSettled(atOnce);
  expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  await expect(decide({ state: "acknowledged", seenChangedAt: seen })).rejects.toMatchObject({
    code: "CONFLICT",
    message: expect.stringMatching(/^Meanwhile ops made the group \w+: look at it again$/) as unknown,
  });
  await expect(decide({ state: "ignored" })).rejects.toMatchObject({ code: "REQUEST_INVALID" });
  await expect(decide({ state: "open", until: new Date().toISOString() })).rejects.toMatchObject({
    code: "REQUEST_INVALID",
  });
});

test("a member is shown with its error's name and saved with its events", async () => {
  const rig = await startRig();
  await giveUp(rig, batch);
  const [group] = await groups(rig);
  const page = await readDeadLetters(rig.db, group?.id ?? 0, parseDeadLetterFilter(new URLSearchParams()));
  expect(page).toMatchObject({ group: { count: 1 }, deadLetters: [{ errorName: "HTTP 503", bodyWhole: true }] });
  const { events } = await describeLetterBody(rig.db, group?.id ?? 0, page.deadLetters[0]?.id ?? 0);
  expect(events).toMatchObject([{ kind: "message", accountId: "1" }, { kind: "message" }]);
  await expect(describeLetterBody(rig.db, group?.id ?? 0, 999)).rejects.toMatchObject({ code: "NOT_FOUND" });
});
