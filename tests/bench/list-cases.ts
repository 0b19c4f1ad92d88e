import { parseDeliveryFilter } from "#dashboard/deliveries/delivery-filter.ts";
import { readDeliveries } from "#dashboard/deliveries/read-deliveries.ts";
import { parseEventFilter } from "#dashboard/events/event-filter.ts";
import { readEvents } from "#dashboard/events/read-events.ts";
import { find } from "#dashboard/find/find.ts";
import { readDeadLetterGroups, parseDeadLetterGroupFilter } from "#dashboard/repair/read-dead-letter-groups.ts";
import { createPulse } from "#dashboard/status/read-pulse.ts";
import { readStatusPage } from "#dashboard/status/read-status-page.ts";
import { systemClock } from "#platform/clock.ts";
import { createLog } from "#platform/log.ts";
import type { Database } from "#store/connection/database.ts";

import { type ListRows, listRows } from "./list-rows.ts";

/** One list, filter or question of an operator. */
export interface ListCase {
  name: string;
  /** Whether it may end after a bounded part, with a cursor to go on from. */
  isSearch: boolean;
  read: (db: Database, rows: ListRows) => Promise<unknown>;
}

const events = (name: string, query: Record<string, string>, isSearch = false): ListCase => ({
  name: `events ${name}`,
  isSearch,
  read: (db) => readEvents(db, parseEventFilter(new URLSearchParams(query)), systemClock),
});
const deliveries = (name: string, query: Record<string, string>, isSearch = false): ListCase => ({
  name: `deliveries ${name}`,
  isSearch,
  read: (db) => readDeliveries(db, parseDeliveryFilter(new URLSearchParams(query)), systemClock),
});
const question = (name: string, q: (rows: ListRows) => string): ListCase => ({
  name: `find ${name}`,
  isSearch: false,
  read: (db, rows) => find(db, q(rows), { retention: { eventDays: 0, deliveryDays: 90 }, nowMs: systemClock.nowMs() }),
});

const silentLog = createLog({ clock: systemClock, level: "error", write: () => {} });
const weekAgo = () => new Date(systemClock.nowMs() - 7 * 24 * 3_600_000).toISOString();

/** With `count=true`, because pages show totals. */
export const listCases: readonly ListCase[] = [
  events("newest", { count: "true" }),
  events("before a week ago", { to: weekAgo(), count: "true" }),
  events("of a frequent kind", { kind: "message", count: "true" }),
  events("of a rare kind", { kind: "comment", count: "true" }),
  events("of a rare account", { account: listRows.rareAccount, count: "true" }),
  events("of a sender", { sender: listRows.sender, count: "true" }),
  events("dead", { state: "dead", count: "true" }),
  events("open", { state: "open", count: "true" }),
  events("with an error", { error: "TypeError", count: "true" }),
  events("handled", { state: "handled", count: "true" }, true),
  events("erased", { state: "erased" }, true),
  events("drifted", { drifted: "true" }, true),
  events("of a runtime", { runtime: "nodejs" }, true),
  events("with a frequent text", { q: "xxxxxxxx" }, true),
  events("with a rare text", { q: listRows.rareText }, true),
  events("with a text nowhere", { q: "not in any text", count: "true" }, true),
  deliveries("newest", { count: "true" }),
  deliveries("before a week ago", { to: weekAgo(), count: "true" }),
  deliveries("lost", { outcome: "lost", count: "true" }),
  deliveries("by error", { error: "PUBLISH_TIMEOUT", count: "true" }),
  deliveries("published", { outcome: "published", count: "true" }, true),
  deliveries("of a region", { region: "iad1", count: "true" }, true),
  deliveries("with a slow ack", { ackMsMin: "1000" }, true),
  question("a delivery", ({ deliveryId }) => deliveryId),
  question("an event's key", ({ key }) => key),
  question("a message id", ({ key }) => key.split(":")[2] ?? ""),
  question("a person", () => listRows.sender),
  question("a QStash message", ({ messageId }) => messageId),
  question("nothing", () => "msg_that_is_nowhere"),
  {
    name: "dead letters",
    isSearch: false,
    read: (db) => readDeadLetterGroups(db, parseDeadLetterGroupFilter(new URLSearchParams())),
  },
  {
    name: "status page",
    isSearch: false,
    read: (db) =>
      readStatusPage(db, {
        window: "1h",
        nowMs: systemClock.nowMs(),
        queue: { title: "QStash", inStore: false },
        probePairsPerDay: 0,
        log: silentLog,
        rollUp: async () => {},
      }),
  },
  {
    name: "pulse",
    isSearch: false,
    read: (db) =>
      createPulse({ openReads: () => db, readStatus: async () => "ok", clock: systemClock })({
        events: 0,
        deliveries: new Date(0),
      }),
  },
];
