import { MantineProvider } from "@mantine/core";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";

import { readRuntimes } from "#dashboard/runtimes/read-runtimes.ts";
import { readRefusalTotals, type RefusalTotal } from "#dashboard/status/read-refusals.ts";
import { RefusalsPanel } from "#dashboard/view/status/refusals-panel.tsx";
import { saveRefusals } from "#store/deliveries/save-refusals.ts";
import { refusals } from "#store/schema/figures-schema.ts";

import { createRecordingLog } from "../../support/recording-log.ts";
import { openTestStore } from "../../support/store.ts";

const nowMs = Date.parse("2026-01-31T12:00:00.000Z");
const minuteMs = 60_000;
const at = (minutesAgo: number) => new Date(nowMs - minutesAgo * minuteMs).toISOString();

test("refusals are added up by reason and runtime, with the first and the last of the window", async () => {
  const { db } = await openTestStore();
  const save = (minutesAgo: number, runtime: "edge" | "nodejs", counts: Record<string, number>) =>
    saveRefusals(db, { runtime, atMs: nowMs - minutesAgo * minuteMs, counts }, nowMs);
  await save(90, "edge", { SIGNATURE_INVALID: 1_000 });
  await save(30, "edge", { SIGNATURE_INVALID: 2, BODY_TOO_LARGE: 1 });
  await save(10, "edge", { SIGNATURE_INVALID: 3 });
  await save(5, "nodejs", { ENV_INVALID: 4 });

  const totals = await readRefusalTotals(db, { fromMs: nowMs - 60 * minuteMs, toMs: nowMs });
  expect(totals).toEqual([
    { runtime: "edge", reason: "SIGNATURE_INVALID", count: 5, since: at(30), until: at(10) },
    { runtime: "nodejs", reason: "ENV_INVALID", count: 4, since: at(5), until: at(5) },
    { runtime: "edge", reason: "BODY_TOO_LARGE", count: 1, since: at(30), until: at(30) },
  ]);
  const { runtimes } = await readRuntimes(
    db,
    { window: "1h", region: null, deployment: null, cold: "all" },
    { nowMs, isEmulated: false, rollUp: async () => {}, log: createRecordingLog().log },
  );
  expect(runtimes.map(({ runtime, refusals: counts }) => [runtime, counts])).toEqual([
    ["edge", { SIGNATURE_INVALID: 5, BODY_TOO_LARGE: 1 }],
    ["nodejs", { ENV_INVALID: 4 }],
  ]);
});

test("rows that no window reaches are deleted now and then", async () => {
  const { db } = await openTestStore();
  const save = (atMs: number) => saveRefusals(db, { runtime: "edge", atMs, counts: { NOT_KEPT: 1 } }, nowMs);
  await save(nowMs - 32 * 24 * 60 * minuteMs);
  for (let index = 0; index < 98; index += 1) await save(nowMs - index);
  expect(await db.$count(refusals)).toBe(99);
  for (let index = 0; index < 3; index += 1) await save(nowMs - index);
  expect(await db.$count(refusals)).toBe(101);
});

test("a report with a time of the far future deletes nothing and counts as of now", async () => {
  const { db } = await openTestStore();
  const farMs = Date.parse("9999-01-01");
  for (let index = 0; index < 100; index += 1) {
    await saveRefusals(db, { runtime: "edge", atMs: index === 0 ? nowMs : farMs, counts: { NOT_KEPT: 1 } }, nowMs);
  }
  expect(await db.$count(refusals)).toBe(100);
  const totals = await readRefusalTotals(db, { fromMs: nowMs - minuteMs, toMs: nowMs + 1 });
  expect(totals).toMatchObject([{ count: 100, until: at(0) }]);
});

test("the panel says once for each reason what to do about it", () => {
  const [since, until] = [at(20), at(10)];
  const items: RefusalTotal[] = ["SIGNATURE_INVALID", "ENV_INVALID", "FROM_ANOTHER_RELEASE"].map((reason) => {
    return { runtime: "edge", reason, count: 1, since, until };
  });
  items.push({ runtime: "nodejs", reason: "SIGNATURE_INVALID", count: 1, since, until });
  const panel = createElement(RefusalsPanel, { refusals: items, nowMs });
  const page = renderToStaticMarkup(createElement(MantineProvider, null, panel));
  for (const advice of ["Check INSTAGRAM_APP_SECRET", "/api/health and the log name", "Look for delivery.refused"]) {
    expect(page.split(advice)).toHaveLength(2);
  }
});
