import type { Walk } from "./walk.ts";

/** Something that is read page by page. */
export type Unread =
  | { type: "conversation"; id: string }
  | { type: "message"; id: string }
  | ({ type: "comments"; mediaId: string; product: string | null } & Walk)
  | ({ type: "replies"; mediaId: string; product: string | null; parentId: string } & Walk);

/** The lists of an account, in the order in which they are read. */
export const lists = ["conversations", "media"] as const;

/**
 * Where a backfill goes on. It is stored after each page, and holds ids and cursors of the API, never an address or a
 * token; a page that is read again after a crash brings nothing twice.
 */
export interface Position extends Walk {
  /** The index of the account. */
  account: number;
  /** The index of the list; beyond the last one the account is done. */
  list: number;
  /** Whether the list has no further page. */
  isListRead: boolean;
  /** What the pages of the list named and is not read yet. */
  unread: readonly Unread[];
  /** What was passed over because reading it failed again and again, the first ones by their ids. */
  skipped?: readonly string[];
  /** How many things were passed over since one was read. */
  skippedInARow?: number;
  /** Lists that failed again and again: they are read last. */
  putOff?: readonly (Walk & { account: number; list: number })[];
  /** Whether the list is one that was put off: nothing follows it but others of these. */
  wasPutOff?: boolean;
}

/** The beginning of an account, or of its list; what was passed over before stays known. */
export function startOf(account: number, before?: Position, list = 0): Position {
  const { skipped = [], skippedInARow = 0, putOff = [], wasPutOff = false } = before ?? {};
  return { account, list, after: null, isListRead: false, unread: [], skipped, skippedInARow, putOff, wasPutOff };
}

/** After the end of an account: the next of so many, then what was put off. */
export function nextAccount(position: Position, accountCount: number): Position {
  const account = position.account + 1;
  const [first, ...others] = position.putOff ?? [];
  if (!(position.wasPutOff ?? false) && account < accountCount) return startOf(account, position);
  if (first === undefined) return startOf(accountCount, position);
  return { ...startOf(first.account, position), ...first, putOff: others, wasPutOff: true };
}

/** What was met on the way. */
export interface BackfillCounts {
  /** Requests to the API. */
  calls: number;
  /** Conversations with a message since the beginning of the gap, and media with comments. */
  conversations: number;
  media: number;
  /** Messages and comments of the gap and the kinds, and how many of them were stored before or are new. */
  found: number;
  known: number;
  inserted: number;
  /** Conversations with more messages in the gap than the API gives. */
  beyond: number;
  /** Messages, conversations or media of which the API gave nothing. */
  unreadable: number;
  /** Those that were passed over because reading them failed again and again; they may still be there. */
  skipped: number;
}

export const noCounts: BackfillCounts = {
  calls: 0,
  conversations: 0,
  media: 0,
  found: 0,
  known: 0,
  inserted: 0,
  beyond: 0,
  unreadable: 0,
  skipped: 0,
};

/** The sum of both. */
export function addCounts(one: BackfillCounts, other: Partial<BackfillCounts>): BackfillCounts {
  const names = Object.keys(noCounts) as (keyof BackfillCounts)[];
  // A backfill of an earlier version may lack a count.
  const sums = names.map((name) => [name, (one[name] ?? 0) + (other[name] ?? 0)] as const);
  return Object.fromEntries(sums) as unknown as BackfillCounts;
}
