import type { Backfill } from "#store/replays/backfill-row.ts";

import type { Backfilling } from "./backfilling.ts";
import { GraphFailure, rethrowWithAccount } from "./graph-failure.ts";
import { identifyAccount, type TokenAccount } from "./identify-account.ts";
import { ingestEntries } from "./ingest-entries.ts";
import { addCounts, type BackfillCounts, nextAccount, type Position } from "./position.ts";
import { readPage } from "./read-page.ts";
import { wantsList } from "./wants-list.ts";

/** A backfill with what this folder stores in it. */
export interface ReadOfBackfill extends Omit<Backfill, "position" | "counts"> {
  position: Position;
  counts: BackfillCounts;
}

/** How far it is after a page that is ingested. */
export interface PageDone {
  position: Position;
  counts: BackfillCounts;
  /** How long Instagram's usage says to rest. */
  restMs: number;
}

/**
 * Reads and ingests page by page, from the backfill's position to the end of its last account. Each page is stored before it
 * is yielded, so that what is lost by a crash is read again and nothing is skipped. Throws a `GraphFailure` and
 * `STORE_UNAVAILABLE`.
 */
export async function* readAccounts(backfill: ReadOfBackfill, backfilling: Backfilling): AsyncGenerator<PageDone> {
  const { accounts, kinds, sinceMs, untilMs } = backfill;
  let { position, counts, strikes } = backfill;
  for (let named = accounts[position.account]; named !== undefined; named = accounts[position.account]) {
    const account = await openAccount(named.id, backfilling);
    const scope = {
      gap: { sinceMs, untilMs },
      account,
      wants: wantsList(kinds),
      withDetails: true,
      isOnly: accounts.length === 1,
    };
    let calls = 0;
    for (let isDone = false; !isDone;) {
      const page = await readPage(position, { ...scope, strikes }).catch((thrown: unknown) =>
        rethrowWithAccount(thrown, accounts.length > 1 ? account.id : null),
      );
      strikes = 0;
      isDone = page === undefined;
      position = page?.position ?? nextAccount(position, accounts.length);
      const { events, inserted } = await ingestEntries(
        page?.entries ?? [],
        { kinds, isDryRun: false },
        backfilling.ingest,
      );
      const known = events.filter(({ isKnown }) => isKnown).length;
      counts = addCounts(counts, { ...page?.counts, calls: account.api.calls() - calls, inserted });
      counts = addCounts(counts, { found: events.length, known });
      calls = account.api.calls();
      yield { position, counts, restMs: isDone ? 0 : account.api.restMs() };
    }
  }
}

/** The token may be another one than that of the plan: it must still be this account's. Throws a `GraphFailure`. */
async function openAccount(id: string, backfilling: Backfilling): Promise<TokenAccount> {
  const tokens = backfilling.tokens.filter(({ accountId }) => accountId === null || accountId === id);
  // An operator may have named the account by its other id, so that only asking tells.
  const others = backfilling.tokens.filter((token) => !tokens.includes(token));
  for (const token of [...tokens, ...others]) {
    const account = await identifyAccount(token, backfilling);
    if (account.id === id) return account;
  }
  throw new GraphFailure("token", `INSTAGRAM_ACCESS_TOKEN has no token of account ${id}`);
}
