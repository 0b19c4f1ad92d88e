import type { InstagramToken } from "#platform/instagram-tokens.ts";

import { createGraphApi, type GraphApi } from "./graph-api.ts";
import type { Backfilling } from "./backfilling.ts";
import { GraphFailure, rethrowWithAccount } from "./graph-failure.ts";
import { objectOf, textOf } from "./graph-values.ts";

/** The account that a token belongs to, with the API that reads it. */
export interface TokenAccount {
  /** The professional account's id, as `entry.id` of its webhooks. */
  id: string;
  username: string | null;
  /** Every id under which the API may name the account itself. */
  ownIds: readonly string[];
  paths: { conversations: string; media: string };
  api: GraphApi;
}

/** Graph versions live for two years. https://developers.facebook.com/docs/graph-api/changelog/versions, read 2026-11 */
const version = "v25.0";

const accountId = /^\d{1,30}$/;

/** A token of Facebook Login begins with EA; it is that of the Page to which the account is linked. */
function isOfFacebook({ token }: InstagramToken): boolean {
  return token.startsWith("EA");
}

/** Asks the API which account a token belongs to. Throws a `GraphFailure`, also if it is not the one that the token is set for. */
export async function identifyAccount(
  token: InstagramToken,
  { graphUrl, fetch, clock, paceMs }: Pick<Backfilling, "graphUrl" | "fetch" | "clock" | "paceMs">,
): Promise<TokenAccount> {
  const host = isOfFacebook(token) ? "graph.facebook.com" : "graph.instagram.com";
  const baseUrl = graphUrl ?? `https://${host}/${version}`;
  const api = createGraphApi({ baseUrl, token: token.token, paceMs, fetch, clock });
  const asked = isOfFacebook(token) ? byPage(api) : bySelf(api);
  const account = await asked.catch((thrown: unknown) => rethrowWithAccount(thrown, token.accountId));
  if (token.accountId !== null && !account.ownIds.includes(token.accountId)) {
    throw new GraphFailure("refused", `the token that is set for account ${token.accountId} belongs to ${account.id}`);
  }
  return account;
}

/** `user_id` is the professional account's, `id` one that is valid for the app only. */
async function bySelf(api: GraphApi): Promise<TokenAccount> {
  const me = await api.get("/me", { fields: "id,user_id,username" });
  const ownIds = [textOf(me["user_id"]), textOf(me["id"])].filter((id) => id !== undefined);
  const [id] = ownIds;
  if (id === undefined || !accountId.test(id)) throw new GraphFailure("unreadable", "/me has no account's id");
  const username = textOf(me["username"]) ?? null;
  return { id, username, ownIds, paths: { conversations: "/me/conversations", media: "/me/media" }, api };
}

async function byPage(api: GraphApi): Promise<TokenAccount> {
  const page = await api.get("/me", { fields: "id,instagram_business_account{id,username}" });
  const linked = objectOf(page["instagram_business_account"]);
  const id = textOf(linked["id"]);
  if (id === undefined || !accountId.test(id)) {
    throw new GraphFailure("refused", "the token's Page has no Instagram account");
  }
  const ownIds = [id, textOf(page["id"])].filter((own) => own !== undefined);
  const username = textOf(linked["username"]) ?? null;
  return { id, username, ownIds, paths: { conversations: "/me/conversations", media: `/${id}/media` }, api };
}
