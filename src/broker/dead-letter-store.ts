import type { Pool } from "pg";

import { ApiError } from "./api-error.ts";
import { inTransaction } from "./database.ts";
import { type DeadLetter, dlqIdOf } from "./message.ts";
import { type Connection, deadLetterColumns } from "./message-rows.ts";
import {
  commonConditions,
  compared,
  type Condition,
  createFilter,
  ignored,
  oneOf,
  oneOfWholeNumbers,
  type QueryParameters,
  readCount,
} from "./query-filter.ts";

/** A page of a list; `cursor` leads to the next and is absent on the last. */
export interface Page<T> {
  items: T[];
  cursor?: string;
}

/** Messages that failed for good. Each operation takes one page of at most 100, newest first, as QStash's do. */
export interface DeadLetterStore {
  read(dlqId: string): Promise<DeadLetter | undefined>;
  list(parameters: QueryParameters): Promise<Page<DeadLetter>>;
  /** Deletes a page and resolves with the ids deleted. */
  delete(parameters: QueryParameters): Promise<Page<string>>;
  /** Turns each letter of a page into a new message, due now, and resolves with the new messages' ids. */
  retry(parameters: QueryParameters, newMessageId: () => string, nowMs: number): Promise<Page<string>>;
}

const pageMax = 100;

const conditions: Readonly<Record<string, Condition>> = {
  ...commonConditions,
  dlqIds: oneOf("failed_at_ms || '-' || sequence"),
  messageId: oneOf("message_id"),
  responseStatus: oneOfWholeNumbers("response_status"),
  fromDate: compared("failed_at_ms", ">="),
  toDate: compared("failed_at_ms", "<="),
  count: ignored,
  cursor: ([cursor], bind) => {
    const { failedAtMs, sequence } = parseDlqId(cursor);
    return `(failed_at_ms, sequence) < (${bind(failedAtMs)}::bigint, ${bind(sequence)}::bigint)`;
  },
};

export function createDeadLetterStore(pool: Pool): DeadLetterStore {
  return {
    async read(dlqId) {
      const page = await readPage<DeadLetter>(pool, new Map([["dlqIds", [dlqId]]]), deadLetterColumns);
      return page.items[0];
    },

    list: (parameters) => readPage<DeadLetter>(pool, parameters, deadLetterColumns),

    delete: (parameters) =>
      inTransaction(pool, async (connection) => {
        const page = await readPage<LetterKey>(connection, parameters, keyColumns, "for update");
        await connection.query("delete from messages where sequence = any($1::bigint[])", [
          page.items.map((letter) => letter.sequence),
        ]);
        return { ...page, items: page.items.map((letter) => dlqIdOf(letter.failedAtMs, letter)) };
      }),

    retry: (parameters, newMessageId, nowMs) =>
      inTransaction(pool, async (connection) => {
        const page = await readPage<LetterKey>(connection, parameters, keyColumns, "for update");
        const items: string[] = [];
        for (const { sequence } of page.items) {
          const messageId = newMessageId();
          await connection.query(retrySql, [sequence, messageId, nowMs]);
          items.push(messageId);
        }
        return { ...page, items };
      }),
  };
}

type LetterKey = Pick<DeadLetter, "failedAtMs" | "sequence">;
const keyColumns = `failed_at_ms as "failedAtMs", sequence`;

/** One row more than a page tells whether there is a next one. */
async function readPage<Row extends LetterKey>(
  connection: Connection,
  parameters: QueryParameters,
  columns: string,
  lock = "",
): Promise<Page<Row>> {
  const filter = createFilter(parameters, conditions);
  const count = readCount(parameters, pageMax);
  const { rows } = await connection.query<Row>(
    `select ${columns} from messages where state = 'dead' and ${filter.where}
     order by failed_at_ms desc, sequence desc limit ${count + 1} ${lock}`,
    filter.values,
  );
  const items = rows.slice(0, count);
  const last = items.at(-1);
  return rows.length > count && last ? { items, cursor: dlqIdOf(last.failedAtMs, last) } : { items };
}

/** A new message with the old one's content: its own id, all its retries, and no trace of the old responses. */
const retrySql = `
  with letter as (
    delete from messages where sequence = $1::bigint returning *
  ), accepted as (
    insert into messages (message_id, state, due_at_ms, url, method, header, body, max_retries, timeout_ms,
      not_before_ms, created_at_ms, callback, failure_callback, labels, caller_ip)
    select $2::text, 'waiting', $3::bigint, url, method, header, body, max_retries, timeout_ms,
      $3::bigint, $3::bigint, callback, failure_callback, labels, caller_ip
    from letter returning *
  )
  insert into events (at_ms, message_id, state, url, method, labels, max_retries, caller_ip)
  select created_at_ms, message_id, 'CREATED', url, method, labels, max_retries, caller_ip from accepted`;

function parseDlqId(text: string | undefined): { failedAtMs: number; sequence: number } {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(text ?? "");
  if (!match) throw new ApiError(400, "invalid cursor");
  return { failedAtMs: Number(match[1]), sequence: Number(match[2]) };
}
