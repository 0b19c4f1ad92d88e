/** The store after a bad night, for pages, commands and measurements: the same at each call. */
import { Client } from "pg";

import { openDatabase, type OpenDatabase } from "#store/connection/database.ts";
import { saveRefusals } from "#store/deliveries/save-refusals.ts";
import { recordPart } from "#store/operators/maintenance-parts.ts";

import { deliveries } from "#store/schema/delivery-schema.ts";
import { handlerAttempts } from "#store/schema/event-schema.ts";
import { deadLetterGroups, deadLetters } from "#store/schema/operations-schema.ts";
import { makeRowsNow } from "../bench/store-rows.ts";
import { type DeliveryRow, deliveryRow, eventRow, ingested, insertEvents, insertOpenEvent } from "../dashboard/rows.ts";
import { makeReplays } from "./bad-night-replays.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const account = "17841400000000001";
/** Before the night and since its deployment, six hours before the end. */
export const deployments = { before: "dpl_evening", since: "dpl_night" };
/** 40 dead letters. */
export const deadLetterCounts = { comment: 29, batch: 8, message: 3 };
const frames = ["saveComment (handlers/comment.ts)", "handleComment (handlers/handlers.ts)"];

export interface BadNight {
  /** Its end. */
  nowMs: number;
  /** Events of the 30 days before, at least 200; up to 5,000,000, which takes some minutes. */
  events: number;
}

/**
 * Fills a migrated database: for ten minutes QStash was down and the fallback kept all; since a deployment the handler of
 * comments throws; an app with another secret signed 37 deliveries; 40 dead letters are in three groups, one of which has
 * recurred; one replay runs, and others are finished, cancelled and planned.
 */
export async function makeBadNight(databaseUrl: string, { nowMs, events }: BadNight): Promise<void> {
  const store = openDatabase(databaseUrl);
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await makeRowsNow(client, Math.max(200, events), () => {});
    await nameDeployments(client, nowMs);
    await measureDay(client, nowMs);
    await breakQstash(store, nowMs);
    await saveRefusals(
      store.db,
      { runtime: "edge", atMs: nowMs - 4 * hourMs, counts: { SIGNATURE_INVALID: 37 } },
      nowMs,
    );
    await failComments(store, nowMs);
    await measureHandlers(client, nowMs);
    await giveUpBatches(store, nowMs);
    await recur(store, nowMs);
    await makeReplays(store.db, client, { nowMs, deployment: deployments.since });
    for (const name of ["sweep", "dead-letters", "groups", "roll-up"]) await recordPart(store.db, name, {});
    await client.query("analyze");
  } finally {
    await client.end();
    await store.close();
  }
}

/** Of the last day alone: all rows would take long, and pages ask for no more. */
async function nameDeployments(client: Client, nowMs: number): Promise<void> {
  const sinceMs = nowMs - 6 * hourMs;
  await client.query(
    `update relay.deliveries set region = 'fra1', deployment = case when received_at < $1 then $2 else $3 end
    where received_at > $4`,
    [new Date(sinceMs), deployments.before, deployments.since, new Date(nowMs - 24 * hourMs)],
  );
}

/** What a day of quiet traffic measured, a delivery every two minutes on either runtime. */
async function measureDay(client: Client, nowMs: number): Promise<void> {
  const facts = `json_build_object('times', json_build_array(json_build_array('ack', 2 + i % 7, 1),
    json_build_array('publish', 30 + i % 40, 1), json_build_array('queue', 90 + i % 50, 1)), 'counts', json_build_array(
    json_build_array('deliveries', 1), json_build_array('outcome', 1, 'published')))`;
  await client.query(
    `insert into relay.measurements (at, runtime, region, deployment, cold, probe, facts)
    select at, case when i % 2 = 0 then 'edge' else 'nodejs' end, 'fra1', case when at < $2 then $3 else $4 end, i % 20 = 0, false, ${facts}
    from (select i, $1::timestamptz - i * interval '1 minute' as at from generate_series(1, 1440) i) minutes`,
    [new Date(nowMs), new Date(nowMs - 6 * hourMs), deployments.before, deployments.since],
  );
}

/** Three hours before the end QStash did not answer for ten minutes. */
async function breakQstash({ db, pool }: OpenDatabase, nowMs: number): Promise<void> {
  const times = Array.from({ length: 20 }, (_, index) => nowMs - 3 * hourMs + (index * minuteMs) / 2);
  for (const [index, atMs] of times.entries()) {
    const receivedAt = new Date(atMs);
    const delivered = ingested({
      deliveredAt: new Date(atMs + 8_100),
      via: "fallback",
      retried: null,
      messageId: null,
    });
    const outage = { outcome: "fallback", publishMs: 8_050, publishedAt: null, attempts: 3, timeouts: 3 } as const;
    const id = `outage-${index}`;
    await db
      .insert(deliveries)
      .values(atNight({ id, receivedAt, ...delivered, ...outage, errorType: "PUBLISH_TIMEOUT" }));
    await insertEvents(db, [eventRow({ key: id, deliveryId: id, ingestedAt: receivedAt })]);
  }
  await pool.query(
    `insert into relay.measurements (at, runtime, region, deployment, cold, probe, facts)
    select at, 'edge', 'fra1', $2, false, false, '{"times":[["ack",3,1],["publish",8050,1]],"counts":[["deliveries",1],
      ["outcome",1,"fallback"],["error",1,"PUBLISH_TIMEOUT"],["publishTimeouts",3]]}'::json from unnest($1::timestamptz[]) at`,
    [times.map((atMs) => new Date(atMs)), deployments.since],
  );
}

/** 29 comments whose handler was given up, and five that are tried again. */
async function failComments({ db }: OpenDatabase, nowMs: number): Promise<void> {
  const failure = { errorName: "TypeError", errorCode: "CRM_SHAPE" };
  const errorMessage = "Cannot read properties of undefined (reading 'id')";
  const firstAtMs = nowMs - 5.5 * hourMs;
  const groupId = await insertGroup(db, { ...failure, kind: "comment", cause: "handler", firstAtMs });
  for (let index = 0; index < deadLetterCounts.comment + 5; index += 1) {
    const at = new Date(firstAtMs + index * 9 * minuteMs);
    const isDead = index < deadLetterCounts.comment;
    const id = `comment-${index}`;
    await db
      .insert(deliveries)
      .values(
        atNight({ id, receivedAt: at, ...ingested({ deliveredAt: new Date(at.getTime() + 90), handledAt: null }) }),
      );
    const row = eventRow({
      key: `comment:${account}:${id}`,
      deliveryId: id,
      ingestedAt: at,
      kind: "comment",
      data: commentOf(id),
    });
    const attempts = isDead ? 9 : 3;
    const work = { ...failure, attempts, firstFailedAt: at, state: isDead ? "dead" : "open" };
    const nextAttemptAt = new Date(nowMs + 4 * minuteMs);
    const eventId = await insertOpenEvent(db, row, { ...work, nextAttemptAt, conversation: `${account}:6001` });
    const attempt = { ...failure, eventId, at, ms: 12, attempt: attempts, errorMessage, frames };
    await db.insert(handlerAttempts).values({ ...attempt, deployment: deployments.since });
    if (!isDead) continue;
    await db.insert(deadLetters).values({
      ...failure,
      source: "handler",
      sourceId: String(eventId),
      groupId,
      recordedAt: at,
      eventId,
      kind: "comment",
      deliveryId: row.deliveryId,
      batchIndex: 0,
      attempts,
      errorMessage,
      frames,
      deployment: deployments.since,
    });
  }
}

function commentOf(id: string): string {
  return JSON.stringify({
    field: "comments",
    value: { id, text: "How much is it?", from: { id: "6001", username: "anna" } },
  });
}

/** A call of each handler every two minutes; since the deployment that of comments throws. */
async function measureHandlers(client: Client, nowMs: number): Promise<void> {
  const call = (kind: string) => `json_build_array('handler', 8 + i % 12, 1, '${kind}')`;
  const failure = `json_build_array(json_build_array('handlerFailure', 1, 'TypeError', 'comment'))`;
  await client.query(
    `insert into relay.measurements (at, runtime, region, deployment, cold, probe, facts)
    select at, 'nodejs', 'fra1', case when at < $2 then $3 else $4 end, false, false, json_build_object(
      'times', json_build_array(${call("message")}, ${call("comment")}), 'counts', case when at >= $2 then ${failure} else '[]' end)
    from (select i, $1::timestamptz - i * interval '2 minutes' as at from generate_series(1, 720) i) minutes`,
    [new Date(nowMs), new Date(nowMs - 6 * hourMs), deployments.before, deployments.since],
  );
}

/** Batches that QStash gave up; it deletes the first of its copies in five hours. */
async function giveUpBatches({ db }: OpenDatabase, nowMs: number): Promise<void> {
  const failure = { errorName: "HTTP 503", errorCode: "STORE_UNAVAILABLE" };
  const groupId = await insertGroup(db, { ...failure, kind: null, cause: "qstash", firstAtMs: nowMs - 67 * hourMs });
  const letters = Array.from({ length: deadLetterCounts.batch }, (_, index) => {
    const receivedAt = new Date(nowMs - (67 - index) * hourMs);
    const { id: deliveryId } = deliveryRow({ id: `given-up-${index}`, receivedAt });
    return {
      ...failure,
      source: "qstash",
      sourceId: `${deliveryId}/0`,
      groupId,
      recordedAt: receivedAt,
      deliveryId,
      batchIndex: 0,
      messageId: `msg_given_up_${index}`,
      dlqId: `dlq_${index}`,
      url: "https://relay.example/api/qstash/instagram-ingestion",
      status: 503,
      attempts: 6,
      deployment: deployments.before,
      body: Buffer.from(JSON.stringify({ version: 2, delivery: {}, events: [] })),
      bodyWhole: true,
      expiresAt: new Date(receivedAt.getTime() + 72 * hourMs),
    };
  });
  await db.insert(deadLetters).values(letters);
}

/** A group that was resolved by a deployment and has recurred since. */
async function recur({ db }: OpenDatabase, nowMs: number): Promise<void> {
  const failure = { errorName: "RangeError", errorCode: null };
  const regressedAt = new Date(nowMs - 40 * minuteMs);
  const groupId = await insertGroup(db, {
    ...failure,
    kind: "message",
    cause: "handler",
    firstAtMs: nowMs - 12 * 24 * hourMs,
    changedAt: new Date(nowMs - 10 * 24 * hourMs),
    changedBy: "anna",
    note: "mended in dpl_evening",
    regressedAt,
  });
  for (let index = 0; index < deadLetterCounts.message; index += 1) {
    const at = new Date(regressedAt.getTime() + index * 10 * minuteMs);
    const id = `recurred-${index}`;
    await db
      .insert(deliveries)
      .values(atNight({ id, receivedAt: at, ...ingested({ deliveredAt: at, handledAt: null }) }));
    const row = eventRow({ key: id, deliveryId: id, ingestedAt: at });
    const eventId = await insertOpenEvent(db, row, { ...failure, attempts: 9, firstFailedAt: at, state: "dead" });
    const common = { ...failure, eventId, frames: ["splitText (handlers/message.ts)"], deployment: deployments.since };
    await db.insert(handlerAttempts).values({ ...common, at, ms: 3, attempt: 9 });
    const place = { source: "handler", sourceId: String(eventId), groupId, kind: "message", batchIndex: 0 };
    await db
      .insert(deadLetters)
      .values({ ...common, ...place, deliveryId: row.deliveryId, recordedAt: at, attempts: 9 });
  }
}

type Group = Omit<Partial<typeof deadLetterGroups.$inferInsert>, "firstAt"> & { cause: string; firstAtMs: number };

async function insertGroup(db: OpenDatabase["db"], { firstAtMs, ...group }: Group): Promise<number> {
  const fingerprint = [group.cause, group.errorName, group.kind].join("|");
  const row = { fingerprint, firstAt: new Date(firstAtMs), firstDeployment: deployments.since, ...group };
  const [inserted] = await db.insert(deadLetterGroups).values(row).returning({ id: deadLetterGroups.id });
  return inserted?.id ?? 0;
}

function atNight(row: Partial<DeliveryRow> & { id: string; receivedAt: Date }): DeliveryRow {
  return deliveryRow({ deployment: deployments.since, ...row });
}
