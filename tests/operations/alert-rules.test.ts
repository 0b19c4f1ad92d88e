import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { alertRules } from "#operations/alerts/alert-rules.ts";
import { decideAlert } from "#operations/alerts/decide-alert.ts";
import { type ChangedAlert, evaluateAlerts } from "#operations/alerts/evaluate-alerts.ts";
import type { Condition } from "#operations/condition/condition.ts";
import type { Database } from "#store/connection/database.ts";

import { createManualClock, type ManualClock } from "../support/manual-clock.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { openSharedStore } from "../support/shared-store.ts";
import { bad, badIn, iso, unknownFacts, wellAt } from "./alert-conditions.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Evaluates by a manual clock; `sent` are all changes so far, as `rule/scope change`. */
function createEvaluator(db: Database, clock: ManualClock) {
  const sent: string[] = [];
  return {
    sent,
    async evaluate(condition: Partial<Condition> = {}): Promise<ChangedAlert[]> {
      const options = { addresses: ["receiver"], nowMs: clock.nowMs(), newId: randomUUID };
      const { changes } = await evaluateAlerts(db, { ...wellAt(clock.nowMs()), ...condition }, options);
      for (const { rule, scope, change } of changes) sent.push(`${rule}/${scope} ${change}`);
      return changes;
    },
  };
}

describe("a rule", () => {
  const store = openSharedStore("relay.alerts, relay.alert_notices");

  test("of each name fires once its condition has held, is not changed by unknown facts, and is resolved once", async () => {
    const { db } = store();
    const clock = createManualClock(Date.parse("2026-11-25T22:00:00Z"));
    const { evaluate, sent } = createEvaluator(db, clock);
    expect(new Set(alertRules.map(({ name }) => name))).toEqual(new Set(Object.keys(bad)));
    const all = (ms: number) => badIn(Object.keys(bad), clock.nowMs(), ms);

    await evaluate();
    expect(sent).toEqual([]);
    await evaluate(all(0));
    await evaluate(all(0));
    const immediate = alertRules.filter(({ patience }) => patience.firesAfterMs === 0).map(({ name }) => name);
    expect(new Set(sent.map((one) => one.split("/")[0]))).toEqual(new Set(immediate));
    await clock.advance(5 * minuteMs);
    const later = await evaluate(all(5 * minuteMs));
    expect(sent.filter((one) => one.endsWith(" firing")).length).toBe(alertRules.length);
    expect(later.find(({ rule }) => rule === "handler-failing")).toMatchObject({
      scope: "message",
      value: 0.8,
      text: expect.stringContaining("40 of 50 calls failed (80 %), most with TypeError") as string,
    });

    sent.length = 0;
    for (let step = 0; step < 10; step += 1) {
      await clock.advance(5 * minuteMs);
      await evaluate(unknownFacts);
    }
    expect(sent).toEqual([]);
    for (let step = 0; step < 4; step += 1) {
      await evaluate();
      await clock.advance(5 * minuteMs);
    }
    expect(sent.length).toBe(alertRules.length);
    expect(sent.every((one) => one.endsWith(" recovered"))).toBe(true);
  });

  test("has a row in the runbook, where its message's link leads", () => {
    const runbook = readFileSync(new URL("../../docs/OPERATIONS.md", import.meta.url), "utf8");
    const anchors = [...runbook.matchAll(/<a id="alert-([\w-]+)">/g)].map(([, name]) => name);
    expect(anchors).toEqual(alertRules.map(({ name }) => name));
  });

  test("that flaps is sent once", async () => {
    const { db } = store();
    const clock = createManualClock();
    const { evaluate, sent } = createEvaluator(db, clock);
    for (let step = 0; step < 24; step += 1) {
      const isBad = step % 2 === 0;
      await evaluate(isBad ? { ...bad["acks-withheld"]?.(clock.nowMs(), 0), publish: { state: "failing" } } : {});
      await clock.advance(5 * minuteMs);
    }
    expect(sent).toEqual(["acks-withheld/ firing"]);
  });

  test("of Meta's hour is sent at 15, 30 and 45 minutes, and again what was acknowledged before it became worse", async () => {
    const { db } = store();
    const clock = createManualClock();
    const startMs = clock.nowMs();
    const { evaluate, sent } = createEvaluator(db, clock);
    const hour = () => ({
      metaHour: {
        isRunning: true,
        since: iso(startMs),
        minutesLeft: 60 - Math.floor((clock.nowMs() - startMs) / minuteMs),
        share: 1,
      },
    });
    const texts: string[] = [];
    for (let step = 0; step < 12; step += 1) {
      const [change] = await evaluate(hour());
      if (change !== undefined) texts.push(change.text);
      if (change?.change === "firing") {
        await decideAlert(
          { action: "acknowledge", rule: "meta-hour", scope: "" },
          { db, clock, log: createRecordingLog().log, actor: "anna" },
        );
      }
      await clock.advance(5 * minuteMs);
    }
    expect(sent).toEqual(["meta-hour/ firing", "meta-hour/ worse", "meta-hour/ worse"]);
    expect(texts[0]).toBe("Deliveries have been refused for 15 min: 45 minutes are left.");
    await evaluate();
    await clock.advance(5 * minuteMs);
    const [recovered] = await evaluate();
    expect(recovered).toMatchObject({ change: "recovered", durationMs: 45 * minuteMs });
  });

  test("that nobody acknowledges or mutes is sent again once, after four hours", async () => {
    const { db } = store();
    const clock = createManualClock();
    const { log } = createRecordingLog();
    const { evaluate, sent } = createEvaluator(db, clock);
    const decide = { db, clock, log, actor: "anna" };
    const now = () => ({
      ...badIn(["paused"], clock.nowMs()),
      ...bad["oldest-open"]?.(clock.nowMs(), 0),
      ...bad["partition-default"]?.(clock.nowMs(), 0),
    });
    await evaluate(now());
    await decideAlert({ action: "acknowledge", rule: "oldest-open", scope: "" }, decide);
    const until = new Date(clock.nowMs() + 9 * hourMs);
    await decideAlert({ action: "mute", rule: "partition-default", scope: "", until }, decide);
    await decideAlert({ action: "mute", rule: "dead-letter-group", scope: "", until }, decide);
    sent.length = 0;
    for (let step = 0; step < 16; step += 1) {
      await clock.advance(30 * minuteMs);
      await evaluate({ ...now(), ...badIn(["dead-letter-group"], clock.nowMs()) });
    }
    expect(sent).toEqual(["paused/ reminder"]);
    // The end of the mute: one of the two was announced before it, over four hours ago.
    await clock.advance(2 * hourMs);
    await evaluate({ ...now(), ...badIn(["dead-letter-group"], clock.nowMs()) });
    expect(sent.slice(1).toSorted()).toEqual(["dead-letter-group/7 firing", "partition-default/ reminder"]);
    await expect(decideAlert({ action: "unmute", rule: "paused", scope: "" }, decide)).rejects.toThrow(
      "It is not muted",
    );
    await expect(decideAlert({ action: "acknowledge", rule: "lost", scope: "" }, decide)).rejects.toThrow(
      "does not fire",
    );
    await expect(decideAlert({ action: "unmute", rule: "none", scope: "" }, decide)).rejects.toThrow("no such rule");
    await expect(decideAlert({ action: "mute", rule: "lost", scope: "", until: new Date(0) }, decide)).rejects.toThrow(
      "future",
    );
  });

  test("is sent once by any number of evaluations at once, and at most once for each transition in any sequence", async () => {
    const { db, pool } = store();
    const clock = createManualClock();
    const { evaluate, sent } = createEvaluator(db, clock);
    await Promise.all(Array.from({ length: 5 }, () => evaluate(badIn(["paused"], clock.nowMs()))));
    expect(sent).toEqual(["paused/ firing"]);
    let seed = 20_261_126;
    const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    for (let step = 0; step < 120; step += 1) {
      const names = Object.keys(bad).filter(() => random() < 0.3);
      await evaluate(random() < 0.2 ? unknownFacts : badIn(names, clock.nowMs()));
      await clock.advance(random() * 10 * minuteMs);
    }
    for (const key of new Set(sent.map((one) => one.split(" ")[0]))) {
      const steps = sent.flatMap((one) => (one.startsWith(`${key} `) ? [one.split(" ")[1]] : []));
      const turns = steps.filter((change) => change !== "reminder" && change !== "worse");
      // Firing and recovery take turns: none is sent twice.
      expect(turns).toEqual(turns.map((_, index) => (index % 2 === 0 ? "firing" : "recovered")));
    }
    const { rows } = await pool.query<{ changes: number }>(
      "select sum(json_array_length(changes))::int as changes from relay.alert_notices",
    );
    expect(rows[0]?.changes).toBe(sent.length);
  });
});
