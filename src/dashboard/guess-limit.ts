/**
 * Wrong tokens are counted, so that guessing is slow and heard of. Two limits:
 *
 * - After ten wrong tokens within a minute a client's next ones are not judged at all until the minute is over.
 * - After a hundred from all clients together every wrong token is refused in the same way, but each is still judged:
 *   a limit for all that refused the right token too would let any stranger lock the operators out.
 *
 * Kept in memory, per process: it has to work while Postgres is down, and guesses must not become statements there. On
 * Vercel each instance counts for itself, which 32 characters of token forgive.
 */
export interface GuessLimit {
  /** Before a token is judged: the refusal of a client that has used up its guesses, else `null`. */
  refusalOf(client: string, nowMs: number): Refusal | null;
  /** After a wrong token: the refusal if there were too many from all clients together, else `null`. */
  countWrong(client: string, nowMs: number): Refusal | null;
}

export interface Refusal {
  retryAfterMs: number;
  /** The first of its minute, the one to log. */
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
/** As many clients are remembered; the one that has been there longest makes room. */
const clientsMax = 1_000;

/** Times are of one monotonic clock. */
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
