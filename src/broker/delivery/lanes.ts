import type { Claim } from "../store/broker-store.ts";
import { type LaneParts, parseLane } from "../lane.ts";
import { share } from "./share.ts";

/** What holds a lane back besides the shares: its flow-control key and its queue. */
export interface Gate {
  /** How many more deliveries may begin now. */
  room(lane: LaneParts, inFlight: { flowControlKey: number; queue: number }, nowMs: number): number;
  /** When that may change by itself. */
  opensAtMs(lane: LaneParts, nowMs: number): number | undefined;
}

/** Deliveries under way, and the bytes of their bodies. */
interface Usage {
  deliveries: number;
  bytes: number;
}

/** Rows that a plan has given to lanes so far: in all, and by destination, flow-control key and queue. */
interface Planned {
  rows: number;
  destinations: Map<string, number>;
  keys: Map<string, number>;
  queues: Map<string, number>;
}

const nothing = (): Planned => ({ rows: 0, destinations: new Map(), keys: new Map(), queues: new Map() });

interface Lane extends LaneParts {
  name: string;
  /** The earliest known time, in the future, at which a message of the lane is due. */
  nextDueAtMs: number;
}

/** All deliveries at once: most of the time they wait for their receivers. */
export const slots = 128;
/** Bodies in memory at once. */
const bytesMax = 256 * 1024 * 1024;
/** Rows, and so bodies, that one statement may bring. */
const claimMax = 16;

/**
 * Decides which messages the broker delivers next. A lane holds the messages with the same destination, flow-control key
 * and queue. A destination may have as many deliveries as there are free slots, and a key half as many. So one receiver
 * that hangs takes at most half of the slots, two take a third each, and another receiver always finds a slot. A key that
 * hangs leaves slots to the other keys of its receiver. The rule is that of dynamic thresholds in shared-memory switches
 * (Choudhury and Hahne, 1998).
 */
export class Lanes {
  readonly #gate: Gate;
  readonly #lanes = new Map<string, Lane>();
  /** Lanes that may have due messages, in the order in which they have their turn. */
  readonly #due = new Set<Lane>();
  /** Lanes of which only the database knows when their next message is due. */
  readonly #unread = new Set<Lane>();
  /** The earliest `nextDueAtMs` of all lanes, or an earlier time. */
  #nextDueAtMs = Number.POSITIVE_INFINITY;
  readonly #destinations = new Map<string, Usage>();
  readonly #keys = new Map<string, Usage>();
  readonly #queues = new Map<string, Usage>();
  readonly #total: Usage = { deliveries: 0, bytes: 0 };

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  /** Says that a message of the lane is due at this time, now or later. */
  expect(name: string, dueAtMs: number, nowMs: number): void {
    const lane = this.#get(name);
    if (dueAtMs <= nowMs) {
      this.#due.add(lane);
    } else {
      lane.nextDueAtMs = Math.min(lane.nextDueAtMs, dueAtMs);
      this.#nextDueAtMs = Math.min(this.#nextDueAtMs, dueAtMs);
    }
  }

  /** Lanes whose time has come may have due messages, and more that only the database knows of. */
  wake(nowMs: number): void {
    if (this.#nextDueAtMs > nowMs) return;
    this.#nextDueAtMs = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes.values()) {
      if (lane.nextDueAtMs <= nowMs) {
        lane.nextDueAtMs = Number.POSITIVE_INFINITY;
        this.#unread.add(lane);
        this.#due.add(lane);
      }
      this.#nextDueAtMs = Math.min(this.#nextDueAtMs, lane.nextDueAtMs);
    }
  }

  /** When `wake` or `plan` may find something that is not there now. */
  nextWakeAtMs(nowMs: number): number {
    let earliestMs = this.#nextDueAtMs;
    for (const lane of this.#due) earliestMs = Math.min(earliestMs, this.#gate.opensAtMs(lane, nowMs) ?? earliestMs);
    return earliestMs;
  }

  /** What to claim now, fairly among the lanes: each counts as planned, and no longer as due. */
  plan(nowMs: number): (Claim & LaneParts)[] {
    const claims: (Claim & LaneParts)[] = [];
    const planned = nothing();
    const open = [...this.#due].filter((lane) => this.#room(lane, planned, nowMs) > 0);
    const fairQuota = Math.max(1, Math.floor(claimMax / Math.max(1, open.length)));
    for (const lane of open) {
      const quota = Math.min(fairQuota, claimMax - planned.rows, this.#room(lane, planned, nowMs));
      if (quota < 1) continue;
      planned.rows += quota;
      add(planned.destinations, lane.destination, quota);
      add(planned.keys, lane.flowControlKey, quota);
      add(planned.queues, lane.queueName, quota);
      this.#due.delete(lane);
      const { name, destination, flowControlKey, queueName } = lane;
      claims.push({ lane: name, quota, destination, flowControlKey, queueName });
      if (planned.rows >= claimMax) break;
    }
    return claims;
  }

  /** More of a lane is due: the claim brought all it had asked for, or failed. */
  stillDue(name: string): void {
    this.#due.add(this.#get(name));
  }

  /** Takes the lanes of which only the database knows when their next message is due; the answers go to `learn`. */
  takeUnread(): string[] {
    const unread = [...this.#unread].filter((lane) => !this.#due.has(lane));
    for (const lane of unread) this.#unread.delete(lane);
    return unread.map(({ name }) => name);
  }

  /**
   * Stores when a lane's next message is due, as read from the database. If that is now, the messages behind it are
   * unknown, so the lane has to be read again.
   */
  learn(name: string, dueAtMs: number, nowMs: number): void {
    this.expect(name, dueAtMs, nowMs);
    if (dueAtMs <= nowMs) this.#unread.add(this.#get(name));
  }

  begin(name: string, bytes: number): void {
    for (const usage of this.#usages(this.#get(name))) {
      usage.deliveries += 1;
      usage.bytes += bytes;
    }
  }

  /** A delivery has ended: what waited for its slot, its key or its queue may go on. */
  end(name: string, bytes: number): void {
    const lane = this.#get(name);
    for (const usage of this.#usages(lane)) {
      usage.deliveries -= 1;
      usage.bytes -= bytes;
    }
    for (const [map, key] of [
      [this.#destinations, lane.destination],
      [this.#keys, lane.flowControlKey],
      [this.#queues, lane.queueName],
    ] as const) {
      if (key !== null && map.get(key)?.deliveries === 0) map.delete(key);
    }
    if (lane.queueName !== null) this.openQueues(lane.queueName);
  }

  /** In a queue, or in all of them, another message may have its turn now. */
  openQueues(queueName?: string): void {
    for (const lane of this.#lanes.values()) {
      if (lane.queueName !== null && (queueName ?? lane.queueName) === lane.queueName) this.#due.add(lane);
    }
  }

  /** Forgets lanes in which nothing waits. A queue's lane may wait for its turn, which is not known here. */
  prune(): void {
    for (const lane of this.#lanes.values()) {
      const isKnown = lane.nextDueAtMs !== Number.POSITIVE_INFINITY;
      const waits = isKnown || this.#due.has(lane) || this.#unread.has(lane);
      if (!waits && lane.queueName === null) this.#lanes.delete(lane.name);
    }
  }

  /** Whether a message of the lane that is due now may begin before any that waits: there is room, and none is known. */
  isOpen(name: string, nowMs: number): boolean {
    const lane = this.#get(name);
    const waits = this.#due.has(lane) || this.#unread.has(lane) || lane.nextDueAtMs <= nowMs;
    return !waits && this.#room(lane, nothing(), nowMs) > 0;
  }

  hasDue(): boolean {
    return this.#due.size > 0;
  }

  deliveries(): number {
    return this.#total.deliveries;
  }

  #room(lane: Lane, planned: Planned, nowMs: number): number {
    const free = slots - this.#total.deliveries - planned.rows;
    const freeBytes = bytesMax - this.#total.bytes;
    const bytes = this.#destinations.get(lane.destination)?.bytes ?? 0;
    if (freeBytes <= 0 || bytes > freeBytes) return 0;
    const destination = taken(this.#destinations, planned.destinations, lane.destination);
    const flowControlKey = taken(this.#keys, planned.keys, lane.flowControlKey);
    const queue = taken(this.#queues, planned.queues, lane.queueName);
    return Math.min(
      share(destination, free, 1),
      lane.flowControlKey === null ? free : share(flowControlKey, free, 0.5),
      this.#gate.room(lane, { flowControlKey, queue }, nowMs),
    );
  }

  #usages(lane: Lane): Usage[] {
    const of = (map: Map<string, Usage>, key: string | null): Usage[] => {
      if (key === null) return [];
      const usage = map.get(key) ?? { deliveries: 0, bytes: 0 };
      map.set(key, usage);
      return [usage];
    };
    return [
      this.#total,
      ...of(this.#destinations, lane.destination),
      ...of(this.#keys, lane.flowControlKey),
      ...of(this.#queues, lane.queueName),
    ];
  }

  #get(name: string): Lane {
    let lane = this.#lanes.get(name);
    if (!lane) {
      lane = { ...parseLane(name), name, nextDueAtMs: Number.POSITIVE_INFINITY };
      this.#lanes.set(name, lane);
    }
    return lane;
  }
}

/** Deliveries of one key that are under way or planned. */
function taken(underWay: ReadonlyMap<string, Usage>, planned: ReadonlyMap<string, number>, key: string | null): number {
  return key === null ? 0 : (underWay.get(key)?.deliveries ?? 0) + (planned.get(key) ?? 0);
}

function add(counts: Map<string, number>, key: string | null, count: number): void {
  if (key !== null) counts.set(key, (counts.get(key) ?? 0) + count);
}
