import { spawn } from "node:child_process";
import { once } from "node:events";

import { describe, expect, test } from "vitest";

import { readDelivery } from "#dashboard/read-delivery.ts";
import { journeySteps } from "#dashboard/journey-steps.ts";
import { resumeBackfills } from "#operations/backfill/advance-backfill.ts";
import { beginBackfill, cancelBackfill } from "#operations/backfill/start-backfill.ts";
import { readLastDelivery } from "#operations/condition/read-window-figures.ts";
import { systemClock } from "#platform/clock.ts";
import { isBackfillDelivery } from "#platform/backfill-delivery.ts";
import { personHash } from "#store/data-deletions.ts";
import { erasePersonInBackfills } from "#store/erase-backfills.ts";

import { bundle } from "../support/bundle.ts";
import { eventually } from "../support/eventually.ts";
import { openSharedStore } from "../support/shared-store.ts";
import { openTestStore } from "../support/store.ts";
import { type BackfillRig, createBackfillRig, token } from "./backfill-rig.ts";
import { type Fault, type GraphAccount, graphError, type GraphMessage } from "./graph-stand-in.ts";

const hourMs = 3_600_000;
const nowMs = Math.floor(Date.now() / 1_000) * 1_000;
const ago = (hours: number) => nowMs - hours * hourMs;
const iso = (atMs: number) => new Date(atMs).toISOString();
const account = "17841400000000001";
const gap = { from: iso(ago(48)), until: iso(ago(1)) };

const message = (id: string, person: string, hours: number, more: Partial<GraphMessage> = {}): GraphMessage => {
  return { id, fromId: person, toId: account, atMs: ago(hours), text: `words of ${id}`, ...more };
};
const echo = (id: string, person: string, hours: number) => ({ ...message(id, account, hours), toId: person });
const comment = (id: string, hours: number) => ({
  id,
  fromId: `author${id}`,
  atMs: ago(hours),
  text: `words of ${id}`,
});

/** Three conversations, of which one ended before the gap, and two media with comments. */
function createAccount(): GraphAccount {
  return {
    id: account,
    username: "shop",
    conversations: [
      { id: "c1", messages: [message("m1", "1001", 47), echo("m2", "1001", 30), message("m3", "1001", 2)] },
      { id: "c2", messages: [message("m4", "1002", 60), message("m5", "1002", 20), message("m6", "1002", 0.5)] },
      { id: "c3", messages: [message("m7", "1003", 90)] },
    ],
    media: [
      {
        id: "9001",
        product: "FEED",
        comments: [
          { ...comment("5001", 40), replies: [1, 2, 3, 4, 5].map((n) => comment(`600${n}`, 10 + n)) },
          comment("5002", 10),
          comment("5003", 100),
        ],
      },
      { id: "9002", product: "REELS", comments: [comment("5004", 3)] },
      { id: "9003", product: "FEED", comments: [] },
    ],
  };
}

const expectedKeys = [
  ...["5001", "5002", "5004", "6001", "6002", "6003", "6004", "6005"].map((id) => `comment:${account}:${id}`),
  `message.echo:${account}:m2`,
  ...["m1", "m3", "m5"].map((mid) => `message:${account}:${mid}`),
];

const shared = openSharedStore(
  "relay.backfills, relay.events, relay.event_keys, relay.event_work, relay.deliveries, relay.duplicate_events, relay.handler_attempts, relay.unsent_messages, relay.measurements, relay.erased_people",
);

async function createRig(tokens?: string): Promise<BackfillRig> {
  const rig = await createBackfillRig(shared(), tokens);
  rig.graph.accounts.set(token, createAccount());
  return rig;
}

async function keys({ pool }: BackfillRig): Promise<string[]> {
  const { rows } = await pool.query<{ key: string }>("select key from relay.events order by key");
  return rows.map(({ key }) => key);
}

const begin = async (rig: BackfillRig, request: Record<string, unknown> = gap) => {
  const { id } = await rig.plan(request);
  return beginBackfill(id, rig.backfilling);
};

describe("a plan", () => {
  test("counts what is missing by kind and age, says what does not come back, and stores nothing", async () => {
    const rig = await createRig();
    const planned = await rig.plan(gap);
    expect(planned).toMatchObject({
      state: "planned",
      accounts: [{ id: account, username: "shop" }],
      kinds: ["message", "message.echo", "message.unsupported", "comment"],
      ...gap,
      plan: {
        found: 12,
        known: 0,
        byKind: { message: 3, "message.echo": 1, comment: 8 },
        byAge: { lt24h: 9, lt7d: 3, older: 0 },
        oldest: iso(ago(47)),
        newest: iso(ago(2)),
        conversations: 2,
        media: 2,
        isComplete: true,
        warnings: [expect.stringMatching(/^3 happened over 24 hours ago/)],
      },
    });
    expect(planned.plan.notGivenBack.join()).toMatch(/Reactions, reads/);
    expect(await keys(rig)).toEqual([]);
    const texts = JSON.stringify([planned, rig.handling.recording.lines]);
    expect(texts).not.toContain(token);
    expect(texts).not.toContain("words of");
  });

  test("refuses what no token is for, a token of another account, and a gap that ends before it begins", async () => {
    const other = await createRig(`17841400000000002=${token}`);
    await expect(other.plan(gap)).rejects.toMatchObject({
      code: "INSTAGRAM_API_REFUSED",
      message: expect.stringContaining(`the token that is set for account 17841400000000002 belongs to ${account}`),
    });
    const rig = await createRig();
    await expect(rig.plan({ ...gap, accounts: ["17841400000000009"] })).rejects.toMatchObject({
      code: "REQUEST_INVALID",
      message: "INSTAGRAM_ACCESS_TOKEN has no token of account 17841400000000009",
    });
    await expect(rig.plan({ from: gap.until, until: gap.from })).rejects.toMatchObject({ code: "REQUEST_INVALID" });
    const without = await createRig("");
    await expect(without.plan(gap)).rejects.toMatchObject({ code: "ENV_INVALID" });
    rig.graph.fail(/^\/me$/, graphError(190, { error_subcode: 463 }));
    await expect(rig.plan(gap)).rejects.toMatchObject({ message: expect.stringMatching(/refuses the token.*190/) });
    rig.graph.fail(/conversations/, graphError(10));
    await expect(rig.plan(gap)).rejects.toMatchObject({ message: expect.stringMatching(/this right.*code 10/) });
    expect((await shared().pool.query("select from relay.backfills")).rowCount).toBe(0);
  });
});

describe("a backfill", () => {
  test("reads every page, stores what is missing once, and handlers see that it was no webhook", async () => {
    const rig = await createRig();
    const ended = await begin(rig);
    expect(ended).toMatchObject({ state: "finished", found: 12, inserted: 12, known: 0, conversations: 2, media: 2 });
    await rig.settle();
    expect(await keys(rig)).toEqual(expectedKeys);
    expect(rig.seen).toHaveLength(12);
    expect(rig.seen.every(({ context, event }) => context.backfill && !event.drifted)).toBe(true);
    expect(rig.seen.find(({ event }) => event.key.endsWith(":m2"))?.event).toMatchObject({
      kind: "message.echo",
      accountId: account,
      senderId: account,
      recipientId: "1001",
      occurredAt: new Date(ago(30)),
      data: { message: { mid: "m2", text: "words of m2", is_echo: true } },
    });
    expect(rig.seen.find(({ event }) => event.key.endsWith(":6003"))?.event.data).toEqual({
      id: "6003",
      from: { id: "author6003", username: "userauthor6003" },
      media: { id: "9001", media_product_type: "FEED" },
      parent_id: "5001",
      text: "words of 6003",
    });
    expect(rig.graph.requests.every(({ authorization }) => authorization === `Bearer ${token}`)).toBe(true);
    expect(JSON.stringify(rig.graph.requests.map(({ query }) => [...query]))).not.toContain("token");

    const again = await begin(rig);
    expect(again).toMatchObject({ state: "finished", found: 12, inserted: 0, known: 12 });
    await rig.settle();
    expect(rig.seen).toHaveLength(12);
  });

  test("leaves a journey that says so, and is no delivery for what watches deliveries", async () => {
    const rig = await createRig();
    await begin(rig);
    await rig.settle();
    const { rows } = await rig.pool.query<{ id: string }>("select id from relay.deliveries order by id");
    expect(rows.length).toBeGreaterThan(2);
    expect(rows.every(({ id }) => isBackfillDelivery(id))).toBe(true);
    const { journey } = await readDelivery(rig.db, rows[0]?.id ?? "", {
      handlerRetries: 8,
      readNextDelivery: async () => undefined,
    });
    expect(journey).toMatchObject({ via: "backfill", outcome: null, events: expect.any(Number) });
    expect(journeySteps(journey).map(({ name, missing }) => [name, missing])).toEqual([
      ["Read", ""],
      ["Ingested", "not yet"],
      ["Handled", "not yet"],
    ]);
    expect(journeySteps(journey).every(({ atMs }) => atMs !== null)).toBe(true);
    expect(await readLastDelivery(rig.db, Date.now())).toBeNull();
    const { rows: measured } = await rig.pool.query(
      "select first_facts, facts from relay.measurements where first_facts is not null",
    );
    expect(
      measured.every(({ first_facts: first, facts }) => JSON.stringify(first) === "{}" && facts.sentMs === undefined),
    ).toBe(true);
  });

  test("takes only the kinds and accounts that were chosen, of one login or the other", async () => {
    const page = "EAA-token-of-the-page-of-account-2";
    const second = "17841400000000002";
    const rig = await createRig(`${account}=${token},${second}=${page}`);
    const mine = createAccount();
    rig.graph.accounts.set(page, { ...mine, id: second, username: "other" });
    const { plan, accounts } = await rig.plan({ ...gap, accounts: [second], kinds: ["comment"] });
    expect([accounts, plan.byKind]).toEqual([[{ id: second, username: "other" }], { comment: 8 }]);
    expect(await begin(rig, { ...gap, kinds: ["message.echo"] })).toMatchObject({ state: "finished", inserted: 1 });
    expect(await keys(rig)).toEqual([`message.echo:${account}:m2`]);
    expect(rig.graph.requests.some(({ path }) => path.includes("media"))).toBe(true);
  });

  test("reads what its list left out, counts what is beyond the twenty newest or gone, and knows attachments", async () => {
    const rig = await createRig();
    const url = "https://lookaside.fbsbx.com/x";
    const many = Array.from({ length: 25 }, (_, n) => message(`n${n}`, "1004", 2 + n / 100));
    const bare = (id: string, more: Record<string, unknown>) =>
      message(id, "1005", 3, { text: "", more, isBareInList: true });
    rig.graph.accounts.set(token, {
      ...createAccount(),
      media: [],
      conversations: [
        { id: "c4", messages: many },
        {
          id: "c5",
          messages: [
            bare("image", { attachments: { data: [{ mime_type: "image/jpeg", image_data: { url } }] } }),
            bare("voice", { attachments: { data: [{ mime_type: "audio/mp4", file_url: url }] } }),
            bare("story", { story: { mention: { link: url, id: "1" } } }),
            bare("share", { shares: { data: [{ link: url }] }, reply_to: { mid: "image", is_self_reply: false } }),
            bare("odd", { is_unsupported: true }),
            bare("gone", {}),
          ],
        },
      ],
    });
    rig.graph.fail(/^\/gone$/, ...Array.from({ length: 6 }, () => graphError(100)));
    expect((await rig.plan(gap)).plan).toMatchObject({ found: 25, beyond: 1, unreadable: 1 });
    expect(await begin(rig, gap)).toMatchObject({ state: "finished", inserted: 25, beyond: 1, unreadable: 1 });
    await rig.settle();
    const dataOf = (mid: string) =>
      (rig.seen.find(({ event }) => event.key.endsWith(`:${mid}`))?.event.data as { message: unknown } | undefined)
        ?.message;
    expect(["image", "voice", "story", "share", "odd"].map(dataOf)).toEqual([
      { mid: "image", attachments: [{ type: "image", payload: { url } }] },
      { mid: "voice", attachments: [{ type: "audio", payload: { url } }] },
      { mid: "story", attachments: [{ type: "story_mention", payload: { url } }] },
      {
        mid: "share",
        attachments: [{ type: "share", payload: { url } }],
        reply_to: { mid: "image", is_self_reply: false },
      },
      { mid: "odd", is_unsupported: true },
    ]);
    expect(rig.seen.some(({ event }) => event.drifted)).toBe(false);
  });

  test("brings nothing back of a person who asked to be erased afterwards", async () => {
    const rig = await createRig();
    await rig.pool.query("insert into relay.erased_people (hash, requested_at) values ($1, $2)", [
      personHash("1001"),
      new Date(ago(25)),
    ]);
    await begin(rig, { ...gap, kinds: ["message", "message.echo"] });
    // What was written after the request is new.
    expect(await keys(rig)).toEqual([`message:${account}:m3`, `message:${account}:m5`]);
    await erasePersonInBackfills(rig.db, account);
    const { rows } = await rig.pool.query("select accounts, reason from relay.backfills");
    expect(rows).toEqual([{ accounts: [{ id: "erased", username: null }], reason: "an outage" }]);
  });
});

describe("when Instagram's API", () => {
  test("limits the rate, the backfill waits as long as Meta says and goes on where it was", async () => {
    const rig = await createRig();
    const usage = { "x-business-use-case-usage": JSON.stringify({ 1: [{ estimated_time_to_regain_access: 7 }] }) };
    const { id } = await rig.plan(gap);
    const limited = graphError(80_002) as Exclude<Fault, string>;
    rig.graph.fail(/^\/c1$/, { ...limited, headers: usage });
    const waiting = await beginBackfill(id, rig.backfilling);
    expect(waiting).toMatchObject({ state: "waiting", inserted: 1, stoppedBecause: null });
    const waitMs = Date.parse(waiting.waitsUntil ?? "") - Date.now();
    expect(waitMs).toBeGreaterThan(6.5 * 60_000);
    expect(waitMs).toBeLessThanOrEqual(7 * 60_000);
    expect(rig.steps.map(({ delayMs }) => delayMs)).toEqual([7 * 60_000]);
    const asked = rig.graph.requests.length;
    await expect(beginBackfill(id, rig.backfilling)).rejects.toMatchObject({ code: "CONFLICT" });
    expect(await resumeBackfills(rig.backfilling, Infinity)).toEqual({ resumed: 0 });
    expect(rig.graph.requests).toHaveLength(asked);
    expect(await rig.step(id)).toMatchObject({ advanced: true });
    expect(await rig.read(id)).toMatchObject({ state: "finished", inserted: 12 });
    expect(await keys(rig)).toEqual(expectedKeys);
  });

  test("is nearly used up, the backfill rests before Meta has to refuse", async () => {
    const rig = await createRig();
    const { id } = await rig.plan(gap);
    rig.graph.headers = { "x-app-usage": JSON.stringify({ call_count: 93, total_time: 5, total_cputime: 5 }) };
    expect(await beginBackfill(id, rig.backfilling)).toMatchObject({ state: "waiting" });
    expect(rig.steps[0]?.delayMs).toBe(5 * 60_000);
    rig.graph.headers = {};
    await rig.step(id);
    expect(await rig.read(id)).toMatchObject({ state: "finished", inserted: 12 });
  });

  test.each<[string, Fault]>([
    ["answers 500", { status: 500, body: "<html>" }],
    ["says that it may pass", graphError(2, { is_transient: true })],
    ["loses the connection", "destroy"],
    ["answers with what is no JSON", { status: 200, body: "<html>" }],
    ["cuts its answer", "cut"],
    ["answers without an end", "endless"],
    ["redirects", { status: 302, body: "", headers: { location: "http://127.0.0.1:9/evil" } }],
  ])("%s, the backfill tries again in five seconds", async (_, fault) => {
    const rig = await createRig();
    const { id } = await rig.plan({ ...gap, kinds: ["message"] });
    rig.graph.fail(/^\/c1$/, fault);
    expect(await beginBackfill(id, rig.backfilling)).toMatchObject({ state: "waiting" });
    expect(rig.steps.map(({ delayMs }) => delayMs)).toEqual([5_000]);
    await rig.step(id);
    expect(await rig.read(id)).toMatchObject({ state: "finished", inserted: 3 });
  });

  test("fails eight times in a row, the backfill stops and says why, and can be started again", async () => {
    const rig = await createRig();
    const { id } = await rig.plan({ ...gap, kinds: ["message"] });
    rig.graph.fail(/^\/c1$/, ...Array.from({ length: 8 }, () => graphError(1)));
    await beginBackfill(id, rig.backfilling);
    for (let strike = 1; strike < 8; strike += 1) await rig.step(id);
    expect(rig.steps.map(({ delayMs }) => delayMs / 5_000)).toEqual([1, 2, 4, 8, 16, 32, 64]);
    const stopped = await rig.read(id);
    expect(stopped).toMatchObject({ state: "stopped", stoppedBecause: "Instagram's API failed (status 500, code 1)" });
    expect(JSON.stringify([stopped, rig.handling.recording.lines])).not.toMatch(/Meta's words|IGAA/);
    expect(await beginBackfill(id, rig.backfilling)).toMatchObject({ state: "finished", inserted: 3 });
  });

  test("says that the token has expired, the backfill stops with what to do, and goes on with a new one", async () => {
    const rig = await createRig();
    const { id } = await rig.plan(gap);
    rig.graph.fail(/^\/9001\/comments$/, graphError(190, { error_subcode: 463 }));
    const stopped = await beginBackfill(id, rig.backfilling);
    expect(stopped).toMatchObject({
      state: "stopped",
      inserted: 4,
      stoppedBecause: expect.stringContaining("set a new one"),
    });
    expect(rig.steps).toEqual([]);
    expect(rig.handling.recording.of("backfill.stopped")).toMatchObject([{ level: "error", fault: "token" }]);
    rig.graph.accounts.set("IGAA-the-new-token-of-account-1", createAccount());
    rig.graph.accounts.delete(token);
    const renewed = { ...rig.backfilling, tokens: [{ accountId: null, token: "IGAA-the-new-token-of-account-1" }] };
    expect(await beginBackfill(id, renewed)).toMatchObject({ state: "finished", inserted: 12, stoppedBecause: null });
    // A token of another account must not read for this one.
    rig.graph.accounts.set(token, { ...createAccount(), id: "17841400000000007" });
    const { id: next } = await rig.plan(gap);
    expect(await beginBackfill(next, renewed)).toMatchObject({
      state: "stopped",
      stoppedBecause: expect.stringContaining("has no token of account 17841400000000007"),
    });
  });

  test("names another host as the next page, the token goes there in no case", async () => {
    const rig = await createRig();
    const evil = await createBackfillRig(shared());
    rig.graph.nextUrl = `${evil.graph.url}/steal?after=cursor-2`;
    expect(await begin(rig)).toMatchObject({ state: "finished", inserted: 12 });
    expect(evil.graph.requests).toEqual([]);
  });
});

describe("of two that advance it", () => {
  test("one does, a message of an older step does nothing, and a cancelled one stores no further page", async () => {
    const rig = await createRig();
    const { id } = await rig.plan(gap);
    rig.graph.fail(/^\/c1$/, "hold");
    const begun = beginBackfill(id, rig.backfilling);
    await eventually("the request is held", () => rig.graph.held() === 1);
    expect(await resumeBackfills(rig.backfilling, Infinity)).toEqual({ resumed: 0 });
    expect(await rig.step(id)).toMatchObject({ advanced: false });
    expect(await rig.read(id)).toMatchObject({ state: "running", inserted: 1 });
    expect(await cancelBackfill(id, "alice", rig.backfilling)).toMatchObject({
      state: "cancelled",
      stoppedBecause: "cancelled by alice",
    });
    rig.graph.dropHeld();
    await begun;
    expect(await rig.read(id)).toMatchObject({ state: "cancelled", inserted: 1 });
    expect(rig.steps).toEqual([]);
    await expect(cancelBackfill(id, "alice", rig.backfilling)).rejects.toMatchObject({ code: "CONFLICT" });
    await expect(beginBackfill(id, rig.backfilling)).rejects.toMatchObject({ code: "CONFLICT" });
  });

  test("kill -9 in the middle loses nothing and doubles nothing: maintenance goes on when the lease is over", async () => {
    const store = await openTestStore();
    const rig = await createBackfillRig(store);
    rig.graph.accounts.set(token, createAccount());
    const { id } = await rig.plan(gap);
    rig.graph.fail(/^\/9001\/comments$/, "hold");
    const script = await bundle(new URL("backfill-process.ts", import.meta.url));
    const given = { databaseUrl: store.url, graphUrl: rig.graph.url, token, id };
    const child = spawn(process.execPath, [script, JSON.stringify(given)], { stdio: "inherit" });
    await eventually("the request is held", () => rig.graph.held() === 1, 20_000);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await rig.read(id)).toMatchObject({ state: "running", inserted: 4 });
    expect(await resumeBackfills(rig.backfilling, Infinity)).toEqual({ resumed: 0 });
    const minuteAgo = "now() - interval '1 minute'";
    await rig.pool.query(
      `update relay.backfills set leased_until = ${minuteAgo}, heartbeat_at = ${minuteAgo}, due_at = ${minuteAgo}`,
    );
    expect(await rig.read(id)).toMatchObject({ state: "stalled" });
    const deadlineMs = systemClock.monotonicMs() + 10_000;
    expect(await resumeBackfills(rig.backfilling, deadlineMs)).toEqual({ resumed: 1 });
    expect(await rig.read(id)).toMatchObject({ state: "finished", inserted: 12 });
    expect(await keys(rig)).toEqual(expectedKeys);
  }, 40_000);
});
