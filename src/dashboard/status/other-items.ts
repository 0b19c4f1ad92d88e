import { amount } from "#operations/condition/amount.ts";
import type { Condition, QueueFacts } from "#operations/condition/condition.ts";
import { areAcksSlow, isMaintenanceLate } from "#operations/condition/limits.ts";

import { formatMs, formatShare } from "../format.ts";
import type { Facts } from "./main-items.ts";
import type { StatusItem } from "./status.ts";
import { item, verb } from "./status-words.ts";

/** What only matters when something is wrong with it; what is fine, or unknown, is left out. */
export function otherItems(facts: Facts): StatusItem[] {
  return [
    storeItem(facts),
    publishItem(facts),
    pauseItem(facts),
    expiringItem(facts),
    ackItem(facts),
    maintenanceItem(facts),
    canaryItem(facts),
    silenceItem(facts),
    partitionsItem(facts),
    backfillItem(facts),
  ].filter((found) => found !== null);
}

function storeItem({ condition: { store, storeFault, queue } }: Facts): StatusItem | null {
  if (store === "down") {
    const cause = "Postgres does not answer";
    const sentence = queue.inStore
      ? `${cause}, and the queue is in it: deliveries are refused, and Meta sends them again for an hour.`
      : `${cause}. ${waitingAt(queue)}`;
    return item("store", { state: "failing", sentence });
  }
  if (storeFault === null) return null;
  const { cause, remedy, isDown } = storeFault;
  if (!isDown) return item("store", { state: "attention", sentence: `${cause} ${remedy}` });
  const effect = queue.inStore ? "Nothing can be stored, and the queue is in Postgres." : waitingAt(queue);
  return item("store", { state: "failing", sentence: `${cause} ${effect} ${remedy}`, href: "/dashboard/diagnostics" });
}

/** Not "deliveries wait": the queue may fail at the same time, as QStash on this machine does, which has the same Postgres. */
function waitingAt({ title }: QueueFacts): string {
  return `What ${title} accepts waits there, and it tries again for hours; what it does not accept is refused, and Meta sends it again for an hour.`;
}

function publishItem({ condition: { publish, queue } }: Facts): StatusItem | null {
  if (publish?.state !== "failing") return null;
  return item("publish", {
    state: "failing",
    sentence: `${queue.title} does not accept what the relay publishes. The fallback stores the events meanwhile.`,
    href: "/dashboard/diagnostics",
  });
}

function pauseItem({ condition: { pause, queue }, when }: Facts): StatusItem | null {
  if (!pause?.since) return null;
  const waiting =
    pause.waiting === null ? "" : `, where ${amount(pause.waiting, "batch")} waited at ${when(pause.askedAt)}`;
  return item("pause", {
    state: "attention",
    since: pause.since,
    sentence: `Ingestion is paused since ${when(pause.since)}. Deliveries are acknowledged and stay at ${queue.title}${waiting}.`,
  });
}

function expiringItem({ condition: { deadLetters }, when }: Facts): StatusItem | null {
  const { count = 0, withoutCopy = 0, first = null } = deadLetters?.expiring ?? {};
  if (count === 0) return null;
  const copies =
    withoutCopy === 0
      ? "the relay has a whole copy of each"
      : `of ${withoutCopy.toLocaleString("en-US")} the relay has no whole copy`;
  return item("expiring", {
    state: "attention",
    count,
    since: null,
    sentence: `QStash deletes ${amount(count, "dead letter")} within a day, the first at ${when(first ?? "")}; ${copies}.`,
    href: "/dashboard/dead-letters",
  });
}

function ackItem({ condition: { ack } }: Facts): StatusItem | null {
  if (ack === null || ack.overOneSecond === null || !areAcksSlow(ack)) return null;
  return item("ack", {
    state: "attention",
    sentence: `${formatShare(ack.overOneSecond)} of the acks of the last 15 minutes took over a second; p99 is ${formatMs(ack.p99Ms)}.`,
    href: "/dashboard/runtimes?window=15m",
  });
}

function maintenanceItem({ condition: { maintenance, asOf }, when }: Facts): StatusItem | null {
  if (maintenance === null) return null;
  const { ranAt, failed } = maintenance;
  if (isMaintenanceLate(maintenance, Date.parse(asOf))) {
    const last = ranAt === null ? "Maintenance has never run." : `Maintenance last ran at ${when(ranAt)}.`;
    return item("maintenance", {
      state: "attention",
      since: ranAt,
      sentence: `${last} It should run every five minutes: npm run relay -- schedule makes and checks its schedule.`,
    });
  }
  if (failed.length === 0) return null;
  return item("maintenance", {
    state: "attention",
    count: failed.length,
    sentence: `The last run of maintenance failed in ${failed.join(", ")}. The log line maintenance.part_failed has the cause.`,
  });
}

function canaryItem({ condition: { canary }, when }: Facts): StatusItem | null {
  if (canary === null || !canary.isExpected) return null;
  const { missingOn, isOverdue, sentAt, arrivedAt } = canary;
  if (missingOn.length === 0 && !isOverdue) return null;
  const arrived = arrivedAt === null ? "none arrived within a week" : `the last one arrived at ${when(arrivedAt)}`;
  const what =
    missingOn.length > 0
      ? `The canary of ${when(sentAt ?? "")} has not arrived by ${missingOn.map((runtime) => (runtime === "edge" ? "the edge" : "Node")).join(" and ")}`
      : `No canary was sent since ${when(sentAt ?? "")}`;
  return item("canary", {
    state: "attention",
    sentence: `${what}; ${arrived}.`,
    href: "/dashboard/deliveries?probe=true",
  });
}

function silenceItem({ condition: { silence }, when }: Facts): StatusItem | null {
  if (silence?.verdict !== "silent") return null;
  const { lastDeliveryAt, expected } = silence;
  return item("silence", {
    state: "attention",
    since: lastDeliveryAt,
    sentence: `No delivery arrived since ${lastDeliveryAt === null ? "long ago" : when(lastDeliveryAt)}; past weeks had ${Math.round(expected).toLocaleString("en-US")} in these hours. Check the subscription at Meta.`,
    href: "/dashboard/diagnostics",
  });
}

function partitionsItem({
  condition: { partitions },
}: {
  condition: Pick<Condition, "partitions">;
}): StatusItem | null {
  if (partitions === null || partitions.defaults.length === 0) return null;
  const { defaults } = partitions;
  return item("partitions", {
    state: "attention",
    count: defaults.length,
    sentence: `${defaults.join(", ")} ${verb(defaults.length, "has", "have")} rows that belong into other partitions: maintenance did not make those in time.`,
  });
}

function backfillItem({ backfills }: Facts): StatusItem | null {
  const stopped = backfills?.filter(({ state }) => state === "stopped") ?? [];
  const [first] = stopped;
  const href = "/dashboard/replays#backfills";
  if (first !== undefined) {
    const others = stopped.length === 1 ? "" : ` So did ${amount(stopped.length - 1, "other")}.`;
    const sentence = `A backfill stopped: ${first.stoppedBecause ?? "the log says why"}.${others} It goes on with npm run relay -- backfill --resume ${first.id}.`;
    return item("backfill", { state: "attention", count: stopped.length, sentence, href });
  }
  const [running] = backfills ?? [];
  if (running === undefined) return null;
  const { found = 0, inserted = 0 } = running.counts;
  const sentence = `A backfill is under way: ${amount(found, "event")} found, ${inserted.toLocaleString("en-US")} new.`;
  return item("backfill", { state: "ok", count: backfills?.length ?? null, sentence, href });
}
