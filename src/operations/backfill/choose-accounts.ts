import { RelayError } from "#platform/errors.ts";
import type { InstagramToken } from "#platform/instagram-tokens.ts";

import type { Backfilling } from "./backfilling.ts";
import { GraphFailure } from "./graph-failure.ts";
import { identifyAccount, type TokenAccount } from "./identify-account.ts";

/**
 * The accounts that tokens belong to, all or those named, in the order of their names. Throws `ENV_INVALID` without a
 * token, `REQUEST_INVALID` for an account without one, and `INSTAGRAM_API_REFUSED`.
 */
export async function chooseAccounts(
  wanted: readonly string[] | undefined,
  backfilling: Pick<Backfilling, "tokens" | "graphUrl" | "fetch" | "clock" | "paceMs">,
): Promise<TokenAccount[]> {
  const tokens = requireTokens(backfilling);
  const named = tokens.filter(({ accountId }) => accountId === null || wanted?.includes(accountId) !== false);
  // At once: with a hundred tokens one after another would take longer than the command waits.
  const found = await orRefuse(() => Promise.all(named.map((token) => identifyAccount(token, backfilling))));
  const chosen = found.filter(({ ownIds }) => wanted === undefined || ownIds.some((id) => wanted.includes(id)));
  const missing = (wanted ?? []).filter((id) => !chosen.some(({ ownIds }) => ownIds.includes(id)));
  if (missing.length === 0) return chosen;
  throw new RelayError("REQUEST_INVALID", `INSTAGRAM_ACCESS_TOKEN has no token of account ${missing.join(", ")}`);
}

/** Throws `ENV_INVALID` if there is none. */
export function requireTokens({ tokens }: Pick<Backfilling, "tokens">): readonly InstagramToken[] {
  if (tokens.length > 0) return tokens;
  throw new RelayError("ENV_INVALID", "Configuration is incomplete: INSTAGRAM_ACCESS_TOKEN is not set");
}

/** Throws `INSTAGRAM_API_REFUSED` in the place of a `GraphFailure`. */
export async function orRefuse<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof GraphFailure)) throw thrown;
    const retryAfterMs = thrown.waitMs > 0 ? thrown.waitMs : undefined;
    throw new RelayError("INSTAGRAM_API_REFUSED", thrown.message, { cause: thrown, retryAfterMs });
  }
}
