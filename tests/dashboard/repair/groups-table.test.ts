import { MantineProvider } from "@mantine/core";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";

import { groupStateWords } from "#dashboard/repair/describe-group.ts";
import type { DeadLetterGroup } from "#dashboard/repair/read-dead-letter-groups.ts";
import { GroupsTable } from "#dashboard/view/repair/groups-table.tsx";

const nowMs = Date.parse("2026-11-26T12:00:00Z");
const iso = new Date(nowMs).toISOString();

const group: DeadLetterGroup = {
  id: 1,
  cause: "qstash",
  errorName: null,
  errorCode: null,
  kind: null,
  state: "open",
  count: 1,
  open: 1,
  isCapped: false,
  firstAt: iso,
  lastAt: iso,
  firstDeployment: null,
  lastDeployment: null,
  expiresAt: null,
  ignoredUntil: null,
  note: null,
  changedAt: null,
  changedBy: null,
  resolvedAt: null,
  resolvedBy: null,
  regressedAt: null,
};

test.each([
  [`rp_${"0".repeat(32)}`, "resolved by a replay"],
  ["handled", "resolved by itself: handled"],
  ["unsent", "resolved as its message was unsent"],
  ["data-deletion", "resolved by the erasure of a person"],
  ["deployment:dpl_1", "resolved by deployment dpl_1"],
  ["ada", "resolved by ada"],
])("a group that %s resolved says so", (resolvedBy, words) => {
  expect(groupStateWords({ ...group, state: "resolved", resolvedBy })).toBe(words);
});

test("dead letters have a column for QStash's copies only where QStash has one", () => {
  expect(show([group])).not.toContain("copies end");
  const groups = [group, { ...group, id: 2, expiresAt: iso }];
  expect(show(groups)).toContain("copies end");
});

function show(groups: readonly DeadLetterGroup[]): string {
  return renderToStaticMarkup(createElement(MantineProvider, null, createElement(GroupsTable, { groups, nowMs })));
}
