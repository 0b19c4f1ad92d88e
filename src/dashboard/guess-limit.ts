/**
 * Counts wrong tokens, so that guessing is slow and is logged. There are two limits:
 *
 * - After ten wrong tokens within a minute, a client's next tokens are refused unread until the minute is over.
 * - After a hundred from all clients together, every wrong token is refused in the same way, but each is still compared:
 *   if this limit refused the right token too, any stranger could lock the operators out.
 *
 * The counts are in memory, one set for each process, because they must work while Postgres is down and guesses must not
 * cause statements. On Vercel each instance has its own counts; a token of 32 characters is safe all the same.
 */
export interface GuessLimit {
  /** Call before a token is compared: the refusal of a client that has used up its guesses, else null. */
  refusalOf(client: string, nowMs: number): Refusal | null;
  /** Call after a wrong token: the refusal if all clients together sent too many, else null. */
  countWrong(client: string, nowMs: number): Refusal | null;
}

/** Why a token is refused without a comparison. */
export interface Refusal {
  retryAfterMs: number;
  /** Whether it is the first refusal of its minute, which is the one to log. */
  isFirst: boolean;
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

/** A limit without any counts. All times must be of the same monotonic clock. */
export function createGuessLimit(): GuessLimit {
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
      return minute === undefined ? null : refuse(minute, wrongMaxOfClient, nowMs);
    },
    countWrong(client, nowMs) {
      minuteOf(client, nowMs).wrong += 1;
      if (isOver(all, nowMs)) all = { startMs: nowMs, wrong: 0, refused: 0 };
      const refusal = refuse(all, wrongMaxOfAll, nowMs);
      all.wrong += 1;
      return refusal;
    },
  };
}

function refuse(minute: Minute, wrongMax: number, nowMs: number): Refusal | null {
  if (minute.wrong < wrongMax || isOver(minute, nowMs)) return null;
  minute.refused += 1;
  return { retryAfterMs: minute.startMs + minuteMs - nowMs, isFirst: minute.refused === 1 };
}

function isOver(minute: Minute, nowMs: number): boolean {
  return nowMs - minute.startMs >= minuteMs;
}
