import type { Pool } from "pg";

import { inTransaction } from "./database.ts";
import type { Publication } from "../message.ts";
import { insertMessage, type NewMessage } from "./message-rows.ts";

/** The message that a schedule publishes each time, but for its body and its time. */
export type ScheduleTemplate = Omit<Publication, "body" | "notBeforeMs">;

export interface Schedule {
  scheduleId: string;
  cron: string;
  /** An address or the name of a URL group. */
  destination: string;
  template: ScheduleTemplate;
  body: Uint8Array;
  delayMs: number;
  isPaused: boolean;
  createdAtMs: number;
  lastAtMs: number | null;
  nextAtMs: number;
  lastMessageIds: readonly string[];
}

export type MessageOutcome = "IN_PROGRESS" | "SUCCESS" | "FAIL";

export interface ScheduleStore {
  read(scheduleId: string): Promise<Schedule | undefined>;
  list(): Promise<Schedule[]>;
  /** Creates a schedule or overwrites that of the same id. */
  save(schedule: Schedule): Promise<void>;
  /** `false` if there is no such schedule. */
  pause(scheduleId: string, isPaused: boolean, nextAtMs: number): Promise<boolean>;
  remove(scheduleId: string): Promise<boolean>;
  /** At most ten schedules that are due, the longest due first. */
  readDue(nowMs: number, exceptIds: readonly string[]): Promise<Schedule[]>;
  readNextAtMs(exceptIds: readonly string[]): Promise<number | undefined>;
  /**
   * Accepts a schedule's messages together with its next time. `false` if it was fired, paused, changed or deleted in the
   * meantime; then nothing is accepted.
   */
  fire(schedule: Schedule, nextAtMs: number, messages: readonly NewMessage[], nowMs: number): Promise<boolean>;
  /** What became of these messages. */
  readOutcomes(messageIds: readonly string[]): Promise<ReadonlyMap<string, MessageOutcome>>;
}

const columns = `schedule_id as "scheduleId", cron, destination, template, body, delay_ms as "delayMs",
  is_paused as "isPaused", created_at_ms as "createdAtMs", last_at_ms as "lastAtMs", next_at_ms as "nextAtMs",
  last_message_ids as "lastMessageIds"`;

/** The statements about schedules. */
export function createScheduleStore(pool: Pool): ScheduleStore {
  return {
    async read(scheduleId) {
      const { rows } = await pool.query<Schedule>(`select ${columns} from schedules where schedule_id = $1`, [
        scheduleId,
      ]);
      return rows[0];
    },

    async list() {
      const { rows } = await pool.query<Schedule>(
        `select ${columns} from schedules order by created_at_ms, schedule_id`,
      );
      return rows;
    },

    async save(schedule) {
      await pool.query(
        `insert into schedules (schedule_id, cron, destination, template, body, delay_ms, is_paused, created_at_ms, next_at_ms)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (schedule_id) do update set cron = $2, destination = $3, template = $4, body = $5, delay_ms = $6,
           is_paused = $7, next_at_ms = $9`,
        [
          schedule.scheduleId,
          schedule.cron,
          schedule.destination,
          schedule.template,
          schedule.body,
          schedule.delayMs,
          schedule.isPaused,
          schedule.createdAtMs,
          schedule.nextAtMs,
        ],
      );
    },

    async pause(scheduleId, isPaused, nextAtMs) {
      const { rowCount } = await pool.query(
        "update schedules set is_paused = $2, next_at_ms = $3 where schedule_id = $1",
        [scheduleId, isPaused, nextAtMs],
      );
      return rowCount === 1;
    },

    async remove(scheduleId) {
      const { rowCount } = await pool.query("delete from schedules where schedule_id = $1", [scheduleId]);
      return rowCount === 1;
    },

    async readDue(nowMs, exceptIds) {
      const { rows } = await pool.query<Schedule>(
        `select ${columns} from schedules
         where not is_paused and next_at_ms <= $1 and schedule_id <> all($2::text[])
         order by next_at_ms, schedule_id limit 10`,
        [nowMs, exceptIds],
      );
      return rows;
    },

    async readNextAtMs(exceptIds) {
      const { rows } = await pool.query<{ nextAtMs: number | null }>(
        `select min(next_at_ms) as "nextAtMs" from schedules where not is_paused and schedule_id <> all($1::text[])`,
        [exceptIds],
      );
      return rows[0]?.nextAtMs ?? undefined;
    },

    fire: (schedule, nextAtMs, messages, nowMs) =>
      inTransaction(pool, async (connection) => {
        const { rowCount } = await connection.query(
          `update schedules set next_at_ms = $3, last_at_ms = $4, last_message_ids = $5
           where schedule_id = $1 and next_at_ms = $2 and not is_paused`,
          [schedule.scheduleId, schedule.nextAtMs, nextAtMs, nowMs, messages.map(({ messageId }) => messageId)],
        );
        if (rowCount !== 1) return false;
        for (const message of messages) await insertMessage(connection, message);
        return true;
      }),

    async readOutcomes(messageIds) {
      const { rows } = await pool.query<{ messageId: string; outcome: MessageOutcome }>(
        `select message_id as "messageId", case when bool_or(state = 'DELIVERED') then 'SUCCESS'
             when bool_or(state in ('FAILED', 'CANCELED')) then 'FAIL' else 'IN_PROGRESS' end as outcome
         from events where message_id = any($1::text[]) group by message_id`,
        [messageIds],
      );
      return new Map(rows.map(({ messageId, outcome }) => [messageId, outcome]));
    },
  };
}
