import type { DescribedBackfill } from "#operations/backfill/describe-backfill.ts";

import { type Cell, drawTable, showCell } from "./table.ts";
import { alignRows, type Layout } from "./terminal.ts";

/** What a backfill would bring, and what it cannot bring, before it is started. */
export function showBackfillPlan(backfill: DescribedBackfill, layout: Layout): string {
  const { paint, zone } = layout;
  const { plan, kinds, from, until, id } = backfill;
  const least = plan.isComplete ? "" : "at least ";
  const { lt24h, lt7d, older } = plan.byAge;
  const facts = alignRows(
    [
      ["Backfill", id],
      ["Accounts", accountsOf(backfill)],
      ["Kinds", kinds.join(", ")],
      ["Gap", `${showCell(from, zone)} to ${showCell(until, zone)}`],
      ["Missing here", `${least}${plan.found - plan.known} of ${plan.found} found`],
      ["Happened", `${showCell(plan.oldest, zone)} to ${showCell(plan.newest, zone)}`],
      ["Age", `${lt24h} under 24 hours, ${lt7d} under 7 days, ${older} older`],
      ["Read for this", `${plan.conversations} conversations, ${plan.media} media, ${plan.calls} requests`],
    ],
    paint,
  );
  const rows = Object.entries(plan.byKind).map(([kind, count]) => [kind, count]);
  const table = rows.length === 0 ? [] : [drawTable(["Kind", "Missing"], rows, paint, layout)];
  const limits = ["Instagram's API does not give back:", ...plan.notGivenBack.map((sentence) => `- ${sentence}`)];
  return [facts, ...table, ...plan.warnings.map((text) => paint("yellow", text)), ...limits].join("\n");
}

const counts = [
  "found",
  "known",
  "inserted",
  "conversations",
  "media",
  "beyond",
  "unreadable",
  "skipped",
  "calls",
] as const;

/** How far a backfill is, or how it ended. */
export function showBackfill(backfill: DescribedBackfill, { paint, zone }: Layout): string {
  const names = ["id", "state", "reason", "actor", "from", "until"] as const;
  const times = ["waitsUntil", "stoppedBecause", "createdAt", "startedAt", "finishedAt"] as const;
  const counted = countsOf(backfill);
  const rows = [
    ...names.map((name) => [name, showCell(backfill[name], zone)] as const),
    ...counts.map((name) => [name, showCell(counted(name))] as const),
    ...times.map((name) => [name, showCell(backfill[name], zone)] as const),
  ];
  const things = backfill.skippedThings.map((thing) => ["passed over", showCell(thing)] as const);
  return alignRows([...rows.slice(0, 2), ["accounts", accountsOf(backfill)], ...rows.slice(2), ...things], paint);
}

/** In one line, while it runs. */
export function showBackfillProgress(backfill: DescribedBackfill): string {
  const { account, accounts, found, inserted, known, waitsUntil, conversations, media } = backfill;
  const place = accounts.length > 1 && account !== null ? `account ${account} of ${accounts.length}: ` : "";
  const wait = waitsUntil === null ? "" : `, waits until ${waitsUntil}: Instagram limits how often it is asked`;
  return `${place}${conversations} conversations, ${media} media; ${found} found, ${inserted} new, ${known} known${wait}`;
}

/** The columns of the table of backfills. */
export const backfillHead = ["Backfill", "State", "Accounts", "From", "Until", "Found", "New", "Created", "Reason"];

/** A row of it. */
export function backfillRow(backfill: DescribedBackfill): Cell[] {
  const { id, state, from, until, createdAt, reason } = backfill;
  const counted = countsOf(backfill);
  return [id, state, accountsOf(backfill), from, until, counted("found"), counted("inserted"), createdAt, reason];
}

/** Nothing is counted before it begins: what the plan found is not what the backfill found. */
function countsOf(backfill: DescribedBackfill) {
  return (name: (typeof counts)[number]) => (backfill.startedAt === null ? null : backfill[name]);
}

function accountsOf({ accounts }: DescribedBackfill): string {
  const names = accounts.map(({ id, username }) => (username === null ? id : `${id} @${username}`));
  return showCell(names.join(", "), "UTC");
}
