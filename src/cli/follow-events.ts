/** Reads the events of a relay in the order of ingestion, as they come, although its API lists the newest first. */
import type { EventItem, EventPage } from "#dashboard/events/read-events.ts";
import type { Clock } from "#platform/clock.ts";
import { pauseFor } from "#local/pause-for.ts";

type Query = Record<string, string | undefined>;

export interface FollowOptions {
  /** A page of `/api/ops/events`. */
  read: (query: Query) => Promise<EventPage>;
  /** Parameters of `/api/ops/events`, without times, limit and cursor. */
  filter: Query;
  /** Events that were ingested at this time or later; undefined means from now on. */
  since: string | undefined;
  clock: Clock;
  /** Ends it. */
  signal: AbortSignal;
  /** Whether reading may succeed later. */
  mayPass: (error: unknown) => boolean;
  /** Called when reading fails after a success, and with null when it succeeds again. */
  onOutage: (error: unknown) => void;
}

/**
 * Ids are given before a commit and can appear out of order: so far back it looks again. A statement that stores events
 * ends within six seconds.
 */
const overlapMs = 15_000;
const idleMs = { first: 500, growth: 1.5, max: 5_000 };
const outageMs = { first: 1_000, growth: 2, max: 30_000 };
/** So many events of the past are read at once, about. */
const sliceEvents = 500;

/** Yields each event once, those of one yield in the order of their ids; goes on where it was after an outage. */
export async function* followEvents(options: FollowOptions): AsyncGenerator<EventItem[]> {
  const { signal, clock, filter } = options;
  const read = (query: Query) => readPatiently(query, options);
  const seen = new Map<number, number>();
  let head = await readHead(read);
  let fromMs = options.since === undefined ? head.atMs - overlapMs : Date.parse(options.since);
  let isPast = options.since === undefined;
  let changedMs = clock.monotonicMs();
  let isSettled = false;
  let sliceMs = 60_000;
  let waitMs = idleMs.first;
  while (!signal.aborted) {
    // Far behind, it reads slice by slice, so that it never holds more than some hundred events.
    for (; fromMs + sliceMs < head.atMs - overlapMs && !signal.aborted;) {
      const slice = await readAll(read, { ...filter, from: iso(fromMs), to: iso(fromMs + sliceMs) }, signal);
      fromMs += sliceMs;
      sliceMs = nextSlice(sliceMs, slice.length);
      const unseen = slice.filter(({ id }) => !seen.has(id));
      if (unseen.length > 0) yield unseen;
    }
    const startedMs = clock.monotonicMs();
    const found = isSettled ? [] : await readAll(read, { ...filter, from: iso(fromMs) }, signal);
    isSettled ||= startedMs - changedMs > overlapMs;
    const past = isPast ? head.id : 0;
    const fresh = found.filter(({ id }) => !seen.has(id) && id > past);
    for (const { id, ingestedAt } of found) seen.set(id, Date.parse(ingestedAt));
    if (fresh.length > 0) yield fresh;
    isPast = false;
    fromMs = Math.max(fromMs, head.atMs - overlapMs);
    for (const [id, atMs] of seen) if (atMs < fromMs) seen.delete(id);
    waitMs = fresh.length > 0 ? idleMs.first : Math.min(idleMs.max, waitMs * idleMs.growth);
    await pauseFor(clock, waitMs, signal);
    const next = await readHead(read);
    if (next.id !== head.id) [changedMs, isSettled] = [clock.monotonicMs(), false];
    head = next;
  }
}

function nextSlice(ms: number, events: number): number {
  if (events < sliceEvents / 2) return ms * 2;
  return events > sliceEvents * 2 ? Math.max(1_000, ms / 2) : ms;
}

/** The newest event of the relay, whatever the filter: its time says how far the filtered list is complete. */
async function readHead(read: FollowOptions["read"]): Promise<{ id: number; atMs: number }> {
  const [newest] = (await read({ limit: "1", data: "none" })).events;
  return newest === undefined ? { id: 0, atMs: 0 } : { id: newest.id, atMs: Date.parse(newest.ingestedAt) };
}

async function readAll(read: FollowOptions["read"], query: Query, signal: AbortSignal): Promise<EventItem[]> {
  const found: EventItem[] = [];
  let cursor: string | null = null;
  do {
    const page: EventPage = await read({ ...query, limit: "200", cursor: cursor ?? undefined });
    found.push(...page.events);
    cursor = page.nextCursor;
  } while (cursor !== null && !signal.aborted);
  return found.toSorted((a, b) => a.id - b.id);
}

/** Repeats what fails for a while. An empty page ends the loop of the caller once the signal is aborted. */
async function readPatiently(query: Query, options: FollowOptions): Promise<EventPage> {
  const { read, clock, signal, mayPass, onOutage } = options;
  for (let waitMs = outageMs.first, failures = 0; !signal.aborted; failures++) {
    try {
      const page = await read(query);
      if (failures > 0) onOutage(null);
      return page;
    } catch (thrown) {
      if (signal.aborted) break;
      if (!mayPass(thrown)) throw thrown;
      if (failures === 0) onOutage(thrown);
      await pauseFor(clock, waitMs, signal);
      waitMs = Math.min(outageMs.max, waitMs * outageMs.growth);
    }
  }
  return { events: [], nextCursor: null, scannedTo: null };
}

function iso(ms: number): string {
  return new Date(Math.max(0, ms)).toISOString();
}
