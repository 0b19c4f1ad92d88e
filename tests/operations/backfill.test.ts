import { describe, expect, test } from "vitest";

import { journeySteps } from "#dashboard/deliveries/journey-steps.ts";
import { readDelivery } from "#dashboard/deliveries/read-delivery.ts";
import { beginBackfill } from "#operations/backfill/start-backfill.ts";
import { readLastDelivery } from "#operations/condition/read-window-figures.ts";
import { rollUp } from "#operations/roll-up.ts";
import { isBackfillDelivery } from "#platform/backfill-delivery.ts";
import { systemClock } from "#platform/clock.ts";
import { personHash } from "#store/erasure/data-deletions.ts";
import { erasePersonInBackfills } from "#store/erasure/erase-backfills.ts";

import {
  account,
  ago,
  beginPlanned,
  createAccount,
  createAccountRig,
  expectedKeys,
  gap,
  iso,
  message,
  openBackfillStore,
  readKeys,
} from "./backfill-account.ts";
import { token } from "./backfill-rig.ts";
import { graphError } from "./graph-stand-in.ts";

const shared = openBackfillStore();
const createRig = (tokens?: string) => createAccountRig(shared(), tokens);

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
    expect(await readKeys(rig)).toEqual([]);
    const texts = JSON.stringify([planned, rig.handling.recording.lines]);
    expect(texts).not.toContain(token);
    expect(texts).not.toContain("words of");
  });

  test("that Instagram's limit ends says that there is more, and can be started", async () => {
    const rig = await createRig();
    rig.graph.fail(/^\/c1$/, graphError(4));
    const { id, plan } = await rig.plan(gap);
    expect(plan).toMatchObject({ found: 1, isComplete: false });
    expect(plan.warnings).toEqual([
      "Instagram's API asks to be asked less often (status 400, code 4): counting ended there.",
      "There is more than was counted: the numbers are the least that there is.",
    ]);
    expect(await beginBackfill(id, rig.backfilling)).toMatchObject({ state: "finished", inserted: 12 });
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
    const ended = await beginPlanned(rig);
    expect(ended).toMatchObject({ state: "finished", found: 12, inserted: 12, known: 0, conversations: 2, media: 2 });
    await rig.settle();
    expect(await readKeys(rig)).toEqual(expectedKeys);
    expect(rig.seen).toHaveLength(12);
    expect(rig.seen.every(({ context, event }) => context.backfill && !event.drifted)).toBe(true);
    expect(rig.seen.find(({ event }) => event.key.endsWith(":m2"))?.event).toMatchObject({
      kind: "message.echo",
      accountId: account,
      senderId: account,
      recipientId: "1001",
      occurredAt: new Date(ago(30)),
      sentAt: null,
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

    const again = await beginPlanned(rig);
    expect(again).toMatchObject({ state: "finished", found: 12, inserted: 0, known: 12 });
    await rig.settle();
    expect(rig.seen).toHaveLength(12);
  });

  test("leaves a journey that says so, and is no delivery for what watches deliveries", async () => {
    const rig = await createRig();
    await beginPlanned(rig);
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
    for (const row of measured) expect(row).toEqual({ first_facts: {}, facts: {} });
    await rollUp(rig.db, systemClock, systemClock.monotonicMs() + 5_000);
    const { rows: metrics } = await rig.pool.query("select distinct metric from relay.measurement_series");
    expect(metrics).toEqual([{ metric: "handler" }]);
  });

  test("takes only the kinds and accounts that were chosen, of one login or the other", async () => {
    const page = "EAA-token-of-the-page-of-account-2";
    const second = "17841400000000002";
    const rig = await createRig(`${account}=${token},${second}=${page}`);
    const mine = createAccount();
    rig.graph.accounts.set(page, { ...mine, id: second, username: "other" });
    const { plan, accounts } = await rig.plan({ ...gap, accounts: [second], kinds: ["comment"] });
    expect([accounts, plan.byKind]).toEqual([[{ id: second, username: "other" }], { comment: 8 }]);
    expect(await beginPlanned(rig, { ...gap, kinds: ["message.echo"] })).toMatchObject({
      state: "finished",
      inserted: 1,
    });
    expect(await readKeys(rig)).toEqual([`message.echo:${account}:m2`]);
    expect(rig.graph.requests.some(({ path }) => path.includes("media"))).toBe(true);
    // Which of several tokens it is must not be guessed.
    const { id } = await rig.plan(gap);
    rig.graph.fail(/conversations$/, graphError(190));
    const stoppedBecause = expect.stringContaining(`(account ${account}, status 400, code 190)`);
    expect(await beginBackfill(id, rig.backfilling)).toMatchObject({ state: "stopped", stoppedBecause });
    rig.graph.accounts.delete(page);
    await expect(rig.plan(gap)).rejects.toMatchObject({ message: expect.stringContaining(`(account ${second}, `) });
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
    rig.graph.fail(/^\/gone$/, graphError(100), graphError(100));
    expect((await rig.plan(gap)).plan).toMatchObject({ found: 26, beyond: 1, unreadable: 0 });
    expect(await beginPlanned(rig, gap)).toMatchObject({ state: "finished", inserted: 25, beyond: 1, unreadable: 1 });
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
    await beginPlanned(rig, { ...gap, kinds: ["message", "message.echo"] });
    // What was written after the request is new.
    expect(await readKeys(rig)).toEqual([`message:${account}:m3`, `message:${account}:m5`]);
    await erasePersonInBackfills(rig.db, account);
    const { rows } = await rig.pool.query("select accounts, reason from relay.backfills");
    expect(rows).toEqual([{ accounts: [{ id: "erased", username: null }], reason: "an outage" }]);
  });
});
