import type { Pool } from "pg";

import { eventColumns } from "./message-rows.ts";

export interface Queue {
  name: string;
  parallelism: number;
  isPaused: boolean;
  createdAtMs: number;
  updatedAtMs: number;
}

/** All queues, in memory and in Postgres: the dispatcher asks for them before each claim. */
export interface Queues {
  load(): Promise<void>;
  get(name: string): Queue | undefined;
  list(): Queue[];
  /** Creates the queue, one message at a time, unless it is there. */
  ensure(name: string, nowMs: number): Promise<void>;
  change(name: string, change: Partial<Pick<Queue, "parallelism" | "isPaused">>, nowMs: number): Promise<void>;
  /** Deletes the queue and cancels what is in it. */
  remove(name: string, nowMs: number): Promise<void>;
  /** Messages in each queue that are neither delivered nor dead. */
  readLags(): Promise<ReadonlyMap<string, number>>;
}

/** The statements about queues. */
export function createQueues(pool: Pool): Queues {
  const queues = new Map<string, Queue>();
  let lastChange: Promise<void> = Promise.resolve();

  const save = async (queue: Queue): Promise<void> => {
    await pool.query(
      `insert into queues (name, parallelism, is_paused, created_at_ms, updated_at_ms) values ($1, $2, $3, $4, $5)
       on conflict (name) do update set parallelism = $2, is_paused = $3, updated_at_ms = $5`,
      [queue.name, queue.parallelism, queue.isPaused, queue.createdAtMs, queue.updatedAtMs],
    );
    queues.set(queue.name, queue);
  };
  const createQueue = (name: string, nowMs: number): Queue => ({
    name,
    parallelism: 1,
    isPaused: false,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  });

  return {
    async load() {
      const { rows } = await pool.query<Queue>(`
        select name, parallelism, is_paused as "isPaused", created_at_ms as "createdAtMs", updated_at_ms as "updatedAtMs"
        from queues`);
      for (const queue of rows) queues.set(queue.name, queue);
    },

    get: (name) => queues.get(name),
    list: () => [...queues.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),

    async ensure(name, nowMs) {
      if (!queues.has(name)) await save(createQueue(name, nowMs));
    },

    change(name, change, nowMs) {
      // One at a time, each made of what the one before it left.
      const changed = lastChange.then(() =>
        save({ ...(queues.get(name) ?? createQueue(name, nowMs)), ...change, updatedAtMs: nowMs }),
      );
      lastChange = changed.catch(() => {});
      return changed;
    },

    async remove(name, nowMs) {
      await pool.query(
        `with removed as (
           delete from queues where name = $1
         ), cancelled as (
           delete from messages where queue_name = $1 and state <> 'dead' returning *
         )
         insert into events (at_ms, state, ${eventColumns})
         select $2::bigint, 'CANCELED', ${eventColumns} from cancelled order by sequence`,
        [name, nowMs],
      );
      queues.delete(name);
    },

    async readLags() {
      const { rows } = await pool.query<{ name: string; lag: number }>(`
        select queue_name as name, count(*) as lag from messages
        where queue_name is not null and (queue_name is not null or flow_control_key is not null) and state <> 'dead'
        group by queue_name`);
      return new Map(rows.map(({ name, lag }) => [name, lag]));
    },
  };
}
