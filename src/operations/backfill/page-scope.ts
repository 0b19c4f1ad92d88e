import type { TokenAccount } from "./identify-account.ts";
import type { WebhookEntry } from "./message-to-webhook.ts";
import type { BackfillCounts, lists, Unread } from "./position.ts";

/** From when on, inclusive, until when, exclusive; in ms since the epoch. */
export interface Gap {
  sinceMs: number;
  untilMs: number;
}

/** What is read, of one account. */
export interface PageScope {
  gap: Gap;
  account: TokenAccount;
  /** Whether a list of the account is wanted. */
  wants: (list: (typeof lists)[number]) => boolean;
  /** False: a message that its list gives without content is not asked for. To count it that is enough. */
  withDetails: boolean;
  /** Whether no other account is read. */
  isOnly: boolean;
  /** How often reading the first thing has failed before, while the API answered otherwise. */
  strikes: number;
}

/** What a thing held, and what is to be read instead of it. */
export interface ReadThing {
  entries: readonly WebhookEntry[];
  rest: readonly Unread[];
  counts?: Partial<BackfillCounts>;
}

/** Whether something happened in the gap. */
export function isIn({ sinceMs, untilMs }: Gap, atMs: number | null): boolean {
  return atMs !== null && atMs >= sinceMs && atMs < untilMs;
}

/** Ids become parts of paths; one with another character would ask for something else. */
export function isPathPart(id: string): boolean {
  return /^[\w=+.-]{1,500}$/.test(id) && !id.includes("..");
}
