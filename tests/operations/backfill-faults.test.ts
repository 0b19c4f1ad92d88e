import { spawn } from "node:child_process";
import { once } from "node:events";

import { describe, expect, test } from "vitest";

import { readStatus } from "#dashboard/status/read-status.ts";
import { resumeBackfills } from "#operations/backfill/advance-backfill.ts";
import { beginBackfill, cancelBackfill } from "#operations/backfill/start-backfill.ts";
import { systemClock } from "#platform/clock.ts";

import { bundle } from "../support/bundle.ts";
import { eventually } from "../support/eventually.ts";
import { openTestStore } from "../support/store.ts";
import {
  beginPlanned,
  createAccount,
  createAccountRig,
  expectedKeys,
  gap,
  message,
  openBackfillStore,
  readKeys,
} from "./backfill-account.ts";
import { createBackfillRig, token } from "./backfill-rig.ts";
import { type Fault, graphError } from "./graph-stand-in.ts";

const shared = openBackfillStore();
const createRig = (tokens?: string) => createAccountRig(shared(), tokens);

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
    expect(await readKeys(rig)).toEqual(expectedKeys);
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
    rig.graph.fail(/^\/me\/conversations$/, ...Array.from({ length: 8 }, () => graphError(1)));
    await beginBackfill(id, rig.backfilling);
    for (let strike = 1; strike < 8; strike += 1) await rig.step(id);
    expect(rig.steps.map(({ delayMs }) => delayMs / 5_000)).toEqual([1, 2, 4, 8, 16, 32, 64]);
    const stopped = await rig.read(id);
    expect(stopped).toMatchObject({ state: "stopped", stoppedBecause: "Instagram's API failed (status 500, code 1)" });
    expect(JSON.stringify([stopped, rig.handling.recording.lines])).not.toMatch(/Meta's words|IGAA/);
    expect(await beginBackfill(id, rig.backfilling)).toMatchObject({ state: "finished", inserted: 3 });
  });

  test("always fails for one conversation, it is passed over and named; for all of them, the backfill stops", async () => {
    const rig = await createRig();
    const { id } = await rig.plan({ ...gap, kinds: ["message"] });
    // Limits are no failures of the conversation.
    const limits = Array.from({ length: 3 }, () => graphError(4));
    rig.graph.fail(/^\/c1$/, ...limits, ...Array.from({ length: 4 }, () => graphError(1)));
    await beginBackfill(id, rig.backfilling);
    for (let failure = 1; failure < 7; failure += 1) await rig.step(id);
    expect(rig.steps.map(({ delayMs }) => delayMs / 1_000)).toEqual([60, 120, 240, 5, 10, 20]);
    expect(await rig.read(id)).toMatchObject({
      state: "finished",
      inserted: 1,
      skipped: 1,
      skippedThings: ["conversation c1"],
    });

    const all = await createRig();
    const conversations = ["a", "b", "c", "d", "e"].map((one) => ({
      id: `p${one}`,
      messages: [message(one, "1001", 9)],
    }));
    all.graph.accounts.set(token, { ...createAccount(), conversations });
    const { id: stuck } = await all.plan({ ...gap, kinds: ["message"] });
    all.graph.fail(/^\/p.$/, ...Array.from({ length: 3 * 4 + 8 }, () => graphError(2)));
    await beginBackfill(stuck, all.backfilling);
    while ((await all.read(stuck)).state === "waiting") await all.step(stuck);
    expect(await all.read(stuck)).toMatchObject({ state: "stopped", skipped: 3, inserted: 0 });
    expect(await beginBackfill(stuck, all.backfilling)).toMatchObject({ state: "finished", skipped: 3, inserted: 2 });
  });

  test("always fails for one list, the others are read before the backfill stops, and it goes on with that one", async () => {
    const rig = await createRig();
    const { id } = await rig.plan(gap);
    rig.graph.fail(/^\/me\/conversations$/, ...Array.from({ length: 4 + 8 }, () => graphError(1)));
    await beginBackfill(id, rig.backfilling);
    while ((await rig.read(id)).state === "waiting") await rig.step(id);
    expect(await rig.read(id)).toMatchObject({ state: "stopped", inserted: 8, skipped: 0 });
    expect(rig.steps.map(({ delayMs }) => delayMs / 5_000)).toEqual([1, 2, 4, 1, 2, 4, 8, 16, 32, 64]);
    // The status says so, and how it goes on.
    const status = await readStatus(rig.db, {
      nowMs: Date.now(),
      queue: { title: "QStash", inStore: false },
      probePairsPerDay: 0,
      log: rig.backfilling.log,
      rollUp: async () => {},
    });
    expect(status.items.find(({ name }) => name === "backfill")).toMatchObject({
      state: "attention",
      sentence: `A backfill stopped: Instagram's API failed (status 500, code 1). It goes on with npm run relay -- backfill --resume ${id}.`,
    });
    expect(await beginBackfill(id, rig.backfilling)).toMatchObject({ state: "finished", inserted: 12 });
    expect(await readKeys(rig)).toEqual(expectedKeys);
  });

  test("gives cursors that go in a ring, each page is read and the backfill ends", async () => {
    const rig = await createRig();
    const mine = createAccount();
    const many = Array.from({ length: 6 }, (_, index) => `ring${index}`);
    const conversations = many.map((one) => ({ id: one, messages: [message(one, "1001", 9)] }));
    rig.graph.accounts.set(token, { ...mine, conversations });
    rig.graph.ring = true;
    // The lists of media, of comments and of answers go in a ring, too.
    expect(await beginPlanned(rig)).toMatchObject({ state: "finished", inserted: 6 + 8, skipped: 0 });
    const pages = rig.graph.requests.filter(({ path }) => path === "/me/conversations").length;
    expect(pages).toBeLessThan(2 * 4 * 3);
  });

  test("always fails for conversations between others, all of them are passed over", async () => {
    const some = await createRig();
    const alternating = ["f1", "g1", "f2", "g2", "f3", "g3", "f4"];
    some.graph.accounts.set(token, {
      ...createAccount(),
      conversations: alternating.map((one) => ({ id: one, messages: [message(one, "1001", 9)] })),
    });
    const { id: partly } = await some.plan({ ...gap, kinds: ["message"] });
    some.graph.fail(/^\/f.$/, ...Array.from({ length: 4 * 4 }, () => graphError(2)));
    await beginBackfill(partly, some.backfilling);
    while ((await some.read(partly)).state === "waiting") await some.step(partly);
    expect(await some.read(partly)).toMatchObject({ state: "finished", skipped: 4, inserted: 3 });
  });

  test.each(["1e15", "-5", "Infinity"])("says Retry-After: %s, the backfill waits a day at most", async (seconds) => {
    const rig = await createRig();
    const { id } = await rig.plan({ ...gap, kinds: ["message"] });
    rig.graph.fail(/^\/c1$/, { ...(graphError(4) as Exclude<Fault, string>), headers: { "retry-after": seconds } });
    expect(await beginBackfill(id, rig.backfilling)).toMatchObject({ state: "waiting", stoppedBecause: null });
    expect(rig.steps[0]?.delayMs).toBe(seconds === "1e15" ? 24 * 3_600_000 : 60_000);
  });

  test("answers with ids, texts and structures of any size, nothing throws and the rest is stored", async () => {
    const rig = await createRig();
    const long = "x".repeat(10_000);
    const odd = ["\uD800", "a\0b", "../../me", long, "%2e%2e"];
    const deep = JSON.parse(`${"[".repeat(3_000)}${"]".repeat(3_000)}`) as unknown;
    const mine = createAccount();
    rig.graph.accounts.set(token, {
      ...mine,
      conversations: [
        ...mine.conversations,
        ...odd.map((one) => ({ id: one, messages: [message(`in ${one}`, "1001", 3)] })),
        {
          id: "c9",
          messages: odd.map((one, n) =>
            message(one, one, 4 + n / 10, { text: `\uDC00\0${long}`, more: { reply_to: { mid: one }, story: deep } }),
          ),
        },
      ],
    });
    const ended = await beginPlanned(rig);
    expect(ended).toMatchObject({ state: "finished", inserted: 12 + odd.length });
    expect(rig.graph.requests.every(({ path }) => path.length < 600 && !path.includes(".."))).toBe(true);
    await rig.settle();
    expect(await beginPlanned(rig)).toMatchObject({ state: "finished", inserted: 0, known: 12 + odd.length });
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
    expect(await beginPlanned(rig)).toMatchObject({ state: "finished", inserted: 12 });
    expect(evil.graph.requests).toEqual([]);
  });
});

test("what the relay itself does wrong stops the backfill, and it can be started again", async () => {
  const rig = await createRig();
  const { id } = await rig.plan({ ...gap, kinds: ["message"] });
  const ingest = () => Promise.reject(new TypeError("a private word"));
  const stopped = await beginBackfill(id, { ...rig.backfilling, ingest });
  expect(stopped).toMatchObject({ state: "stopped", stoppedBecause: "The relay failed; its log says how" });
  expect(rig.handling.recording.of("backfill.stopped")).toMatchObject([{ level: "error", cause: "TypeError" }]);
  expect(await beginBackfill(id, rig.backfilling)).toMatchObject({ state: "finished", inserted: 3 });
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
    const minuteAgo = "now() - interval '1 minute'";
    await rig.pool.query(`update relay.backfills set heartbeat_at = ${minuteAgo}, due_at = ${minuteAgo}`);
    expect(await resumeBackfills(rig.backfilling, Infinity)).toEqual({ resumed: 0 });
    await rig.pool.query(
      `update relay.backfills set leased_until = ${minuteAgo}, heartbeat_at = ${minuteAgo}, due_at = ${minuteAgo}`,
    );
    expect(await rig.read(id)).toMatchObject({ state: "stalled" });
    const deadlineMs = systemClock.monotonicMs() + 10_000;
    expect(await resumeBackfills(rig.backfilling, deadlineMs)).toEqual({ resumed: 1 });
    expect(await rig.read(id)).toMatchObject({ state: "finished", inserted: 12 });
    expect(await readKeys(rig)).toEqual(expectedKeys);
  }, 40_000);
});
