import { type Clock, settleWithin } from "#platform/clock.ts";
import type { WrongTokens } from "#store/operators/wrong-tokens.ts";

/**
 * Counts wrong tokens, so that guessing is slow and is logged. There are two limits:
 *
 * - After ten wrong tokens within a minute, a client's next tokens are refused unread until the minute is over.
 * - After a hundred from all clients together, every wrong token is refused in the same way, but each is still compared:
 *   if this limit refused the right token too, any stranger could lock the operators out.
 *
 * Each process counts in memory, because the limits must work while Postgres is down. It also adds each wrong token to
 * what all processes counted, and goes on from that sum: a client that has used up its guesses elsewhere has one left here.
 * Beyond a hundred in a minute nothing is added, so that guesses cannot load Postgres.
 */
export interface GuessLimit {
  /** Call before a token is compared: the refusal of a client that has used up its guesses, else null. */
  refusalOf(client: string, nowMs: number): Refusal | null;
  /** Call after a wrong token: the refusal if the client or all clients together sent too many, else null. Never rejects. */
  countWrong(client: string, nowMs: number): Promise<Refusal | null>;
}

/** Why a token is refused without a comparison, or its wrongness without being said. */
export interface Refusal {
  /** Whose limit is used up. */
  scope: "client" | "all";
  retryAfterMs: number;
  /** Whether it is the first refusal of its minute, which is the one to log. */
  isFirst: boolean;
}

export interface GuessLimitOptions {
  /** Adds a wrong token to what all processes counted in the last minute. */
  share: (client: string) => Promise<WrongTokens>;
  clock: Pick<Clock, "after" | "nowMs" | "monotonicMs">;
}

interface Minute {
  startMs: number;
  wrong: number;
  refused: number;
}

const minuteMs = 60_000;
const wrongMaxOfClient = 10;
const wrongMaxOfAll = 100;
/** How many clients are counted. Beyond that the one counted longest is forgotten. */
const clientsMax = 1_000;
/** So long the answer to a wrong token waits for Postgres at most. */
const shareLimitMs = 500;

/** A limit without any counts. All times must be of the same monotonic clock. */
export function createGuessLimit({ share, clock }: GuessLimitOptions): GuessLimit {
  const minutes = new Map<string, Minute>();
  let all: Minute = { startMs: Number.NEGATIVE_INFINITY, wrong: 0, refused: 0 };

  const minuteOf = (client: string, nowMs: number): Minute => {
    const known = minutes.get(client);
    if (known !== undefined && !isOver(known, nowMs)) return known;
    minutes.delete(client);
    const [oldest] = minutes.keys();
    if (minutes.size >= clientsMax && oldest !== undefined) minutes.delete(oldest);
    const minute = { startMs: nowMs, wrong: 0, refused: 0 };
    minutes.set(client, minute);
    return minute;
  };

  return {
    refusalOf(client, nowMs) {
      const minute = minutes.get(client);
      if (minute === undefined || isOver(minute, nowMs) || minute.wrong < wrongMaxOfClient) return null;
      return refuse(minute, "client", nowMs);
    },
    async countWrong(client, nowMs) {
      const ofClient = minuteOf(client, nowMs);
      if (isOver(all, nowMs)) all = { startMs: nowMs, wrong: 0, refused: 0 };
      const ofAll = all;
      const own: WrongTokens = { ofClient: (ofClient.wrong += 1), ofAll: (ofAll.wrong += 1) };
      const shared = own.ofAll > wrongMaxOfAll ? own : await settleWithin(clock, shareLimitMs, shareOr(own, client));
      const counted = shared ?? own;
      ofClient.wrong = Math.max(ofClient.wrong, counted.ofClient);
      ofAll.wrong = Math.max(ofAll.wrong, counted.ofAll);
      if (Math.max(own.ofClient, counted.ofClient) > wrongMaxOfClient) return refuse(ofClient, "client", nowMs);
      return Math.max(own.ofAll, counted.ofAll) > wrongMaxOfAll ? refuse(ofAll, "all", nowMs) : null;
    },
  };

  function shareOr(own: WrongTokens, client: string): Promise<WrongTokens> {
    return share(client).catch(() => own);
  }
}

function refuse(minute: Minute, scope: Refusal["scope"], nowMs: number): Refusal {
  minute.refused += 1;
  return { scope, retryAfterMs: minute.startMs + minuteMs - nowMs, isFirst: minute.refused === 1 };
}

function isOver(minute: Minute, nowMs: number): boolean {
  return nowMs - minute.startMs >= minuteMs;
}
