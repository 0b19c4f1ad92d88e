import { RelayError } from "#platform/errors.ts";
import { createBackfill } from "#store/replays/backfills.ts";

import type { BackfillRequest } from "./backfill-request.ts";
import type { Backfilling } from "./backfilling.ts";
import { chooseAccounts, orRefuse } from "./choose-accounts.ts";
import { type BackfillPlan, type DescribedBackfill, describeBackfill } from "./describe-backfill.ts";
import { GraphFailure } from "./graph-failure.ts";
import type { TokenAccount } from "./identify-account.ts";
import { ingestEntries } from "./ingest-entries.ts";
import { notGivenBack } from "./not-given-back.ts";
import type { Gap } from "./page-scope.ts";
import { addCounts, noCounts, startOf } from "./position.ts";
import { readPage } from "./read-page.ts";
import { wantsList } from "./wants-list.ts";

/** The command waits 45 s for an answer, and the last request that is begun may take 20. */
const budgetMs = 8_000;

/**
 * Plans a backfill: asks Instagram's API which accounts the tokens belong to and counts, for some seconds, what it would
 * bring. Nothing else is stored. Throws `REQUEST_INVALID`, `ENV_INVALID`, `INSTAGRAM_API_REFUSED` and `STORE_UNAVAILABLE`.
 */
export async function planBackfill(
  { accounts: wanted, kinds, from, until, reason }: BackfillRequest,
  actor: string,
  backfilling: Backfilling,
): Promise<DescribedBackfill> {
  const { db, clock, log, newId } = backfilling;
  const nowMs = clock.nowMs();
  const gap = { sinceMs: from.getTime(), untilMs: Math.min(until?.getTime() ?? nowMs, nowMs) };
  if (gap.sinceMs >= gap.untilMs) throw new RelayError("REQUEST_INVALID", "from must be before until, and in the past");
  const deadlineMs = clock.monotonicMs() + budgetMs;
  const accounts = await chooseAccounts(wanted, backfilling);
  const plan = await count(accounts, { gap, kinds, deadlineMs, nowMs }, backfilling);
  const backfill = await createBackfill(db, {
    id: `bf_${newId().replaceAll("-", "")}`,
    accounts: accounts.map(({ id, username }) => ({ id, username })),
    kinds: [...new Set(kinds)],
    ...gap,
    reason,
    actor,
    plan: { ...plan },
    position: startOf(0),
    counts: { ...noCounts },
  });
  log.info("backfill.planned", { backfillId: backfill.id, accounts: accounts.length, found: plan.found, actor });
  return describeBackfill(backfill);
}

interface Counting {
  gap: Gap;
  kinds: readonly string[];
  deadlineMs: number;
  nowMs: number;
}

async function count(accounts: readonly TokenAccount[], counting: Counting, { ingest, clock }: Backfilling) {
  const { gap, kinds, deadlineMs, nowMs } = counting;
  const found: { kind: string; occurredAtMs: number | null; isKnown: boolean }[] = [];
  let counts = noCounts;
  let isComplete = clock.monotonicMs() < deadlineMs;
  const warnings: string[] = [];
  for (const account of accounts) {
    let position = startOf(0);
    while (isComplete) {
      const scope = { gap, account, wants: wantsList(kinds), withDetails: false, isOnly: true, strikes: 0 };
      const page = await orRefuse(() => readPage(position, scope).catch(giveUp));
      if (page === undefined) break;
      ({ position } = page);
      for (const event of (await ingestEntries(page.entries, { kinds, isDryRun: true }, ingest)).events)
        found.push(event);
      counts = addCounts(counts, page.counts);
      isComplete &&= clock.monotonicMs() < deadlineMs;
    }
    counts = addCounts(counts, { calls: account.api.calls() });
  }
  const fresh = found.filter(({ isKnown }) => !isKnown);
  const all = { found: found.length, known: found.length - fresh.length };
  const plan = { ...addCounts(counts, all), ...summarize(fresh, nowMs), isComplete };
  return { ...plan, warnings: [...warnings, ...warningsOf(plan)], notGivenBack } satisfies BackfillPlan;

  /** What may pass costs the plan its completeness; the rest would end the backfill, too. */
  function giveUp(thrown: unknown): undefined {
    const mayPass = thrown instanceof GraphFailure && /limited|transient|unreadable/.test(thrown.fault);
    if (!mayPass) throw thrown;
    isComplete = false;
    warnings.push(`${thrown.message}: counting ended there.`);
  }
}

const dayMs = 24 * 60 * 60_000;

function summarize(fresh: readonly { kind: string; occurredAtMs: number | null }[], nowMs: number) {
  const byKind: Record<string, number> = {};
  const byAge = { lt24h: 0, lt7d: 0, older: 0 };
  const times = fresh.flatMap(({ occurredAtMs }) => occurredAtMs ?? []);
  for (const { kind } of fresh) byKind[kind] = (byKind[kind] ?? 0) + 1;
  for (const atMs of times) {
    const ageMs = nowMs - atMs;
    byAge[ageMs < dayMs ? "lt24h" : ageMs < 7 * dayMs ? "lt7d" : "older"] += 1;
  }
  const iso = (atMs: number) => (Number.isFinite(atMs) ? new Date(atMs).toISOString() : null);
  // There may be more than a call takes arguments.
  const oldestMs = times.reduce((one, other) => Math.min(one, other), Infinity);
  const newestMs = times.reduce((one, other) => Math.max(one, other), -Infinity);
  return { byKind, byAge, oldest: iso(oldestMs), newest: iso(newestMs) };
}

/** https://developers.facebook.com/docs/messenger-platform/policy/policy-overview#standard-messaging */
function warningsOf(plan: Pick<BackfillPlan, "byAge" | "beyond" | "unreadable" | "isComplete">): string[] {
  const { byAge, beyond, unreadable, isComplete } = plan;
  const late = byAge.lt7d + byAge.older;
  return [
    ...(isComplete ? [] : ["There is more than was counted: the numbers are the least that there is."]),
    ...(late === 0
      ? []
      : [
          `${late} happened over 24 hours ago: Meta refuses an automatic answer; a person may answer within 7 days, which ${byAge.older} are past. Handlers see context.backfill.`,
        ]),
    ...(beyond === 0
      ? []
      : [
          `${beyond === 1 ? "1 conversation has" : `${beyond} conversations have`} more messages in the gap than the 20 that the API gives of each.`,
        ]),
    ...(unreadable === 0 ? [] : [`${unreadable} messages, conversations or media cannot be read: they are gone.`]),
  ];
}
