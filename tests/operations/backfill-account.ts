// An account of Instagram with conversations and comments before, in and after a gap of two days.
import { beginBackfill } from "#operations/backfill/start-backfill.ts";
import type { OpenDatabase } from "#store/connection/database.ts";

import { openSharedStore } from "../support/shared-store.ts";
import { type BackfillRig, createBackfillRig, token } from "./backfill-rig.ts";
import type { GraphAccount, GraphMessage } from "./graph-stand-in.ts";

const hourMs = 3_600_000;
const nowMs = Math.floor(Date.now() / 1_000) * 1_000;
export const ago = (hours: number) => nowMs - hours * hourMs;
export const iso = (atMs: number) => new Date(atMs).toISOString();
export const account = "17841400000000001";
export const gap = { from: iso(ago(48)), until: iso(ago(1)) };

export const message = (id: string, person: string, hours: number, more: Partial<GraphMessage> = {}): GraphMessage => {
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
export function createAccount(): GraphAccount {
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

export const expectedKeys = [
  ...["5001", "5002", "5004", "6001", "6002", "6003", "6004", "6005"].map((id) => `comment:${account}:${id}`),
  `message.echo:${account}:m2`,
  ...["m1", "m3", "m5"].map((mid) => `message:${account}:${mid}`),
];

/** One database for the tests of a file. */
export const openBackfillStore = (): (() => OpenDatabase) =>
  openSharedStore(
    "relay.backfills, relay.events, relay.event_keys, relay.event_work, relay.deliveries, relay.duplicate_events, relay.handler_attempts, relay.unsent_messages, relay.measurements, relay.erased_people",
  );

/** A rig whose API has the account. */
export async function createAccountRig(store: OpenDatabase, tokens?: string): Promise<BackfillRig> {
  const rig = await createBackfillRig(store, tokens);
  rig.graph.accounts.set(token, createAccount());
  return rig;
}

export async function readKeys({ pool }: Pick<OpenDatabase, "pool">): Promise<string[]> {
  const { rows } = await pool.query<{ key: string }>("select key from relay.events order by key");
  return rows.map(({ key }) => key);
}

/** Plans a backfill, starts it, and takes its steps for as long as it is running: a busy machine needs more than one. */
export async function beginPlanned(rig: BackfillRig, request: Record<string, unknown> = gap) {
  const { id } = await rig.plan(request);
  let backfill = await beginBackfill(id, rig.backfilling);
  while (backfill.state === "running") {
    await rig.step(id);
    backfill = await rig.read(id);
  }
  return backfill;
}
