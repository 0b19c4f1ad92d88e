import type { Pool } from "pg";

import { ApiError } from "../api/api-error.ts";
import { inTransaction } from "./database.ts";
import { type DeadLetter, dlqIdOf } from "../message.ts";
import { type Connection, deadLetterColumns, insertMessage, type NewMessage } from "./message-rows.ts";
import {
  commonConditions,
  compared,
  type Condition,
  createFilter,
  idsOrFilters,
  ignored,
  oneOf,
  oneOfWholeNumbers,
  type QueryParameters,
  readCount,
} from "../api/query-filter.ts";

/** A page of a list; `cursor` leads to the next and is absent on the last. */
export interface Page<T> {
  items: T[];
  cursor?: string;
}

/** Messages that failed for good. Each operation takes one page of at most 100, newest first, as QStash's do. */
export interface DeadLetterStore {
  read(dlqId: string): Promise<DeadLetter | undefined>;
  /** A page also ends after some megabytes of bodies. */
  list(parameters: QueryParameters): Promise<Page<DeadLetter>>;
  /** Deletes a page and resolves with the ids deleted. */
  delete(parameters: QueryParameters): Promise<Page<string>>;
  /**
   * Puts in place of each letter of a page the message made of it, and resolves with these, without their bodies. Rejects
   * with 404 and changes nothing if one of the ids asked for is gone.
   */
  retry(parameters: QueryParameters, toMessage: (letter: DeadLetter) => NewMessage): Promise<Page<Retried>>;
}

export type Retried = Omit<NewMessage, "body">;

const pageMax = 100;
const pageBytesMax = 8 * 1024 * 1024;

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

/** The statements about dead letters: list, read, delete, retry. */
export function createDeadLetterStore(pool: Pool): DeadLetterStore {
  return {
    async read(dlqId) {
      const page = await readPage(pool, new Map([["dlqIds", [dlqId]]]));
      return (await readLetters(pool, page.items))[0];
    },

    async list(parameters) {
      const page = await readPage(pool, parameters, pageBytesMax);
      return { ...page, items: await readLetters(pool, page.items) };
    },

    delete: (parameters) =>
      inTransaction(pool, async (connection) => {
        const page = await readPage(connection, parameters);
        const { rowCount } = await connection.query("delete from messages where sequence = any($1::bigint[])", [
          page.items.map((letter) => letter.sequence),
        ]);
        return { ...page, items: page.items.slice(0, rowCount ?? 0).map(toDlqId) };
      }),

    retry: (parameters, toMessage) =>
      inTransaction(pool, async (connection) => {
        const page = await readPage(connection, parameters);
        const items: Retried[] = [];
        // One at a time: a hundred bodies need not be in memory together.
        for (const key of page.items) {
          const [letter] = await readLetters(connection, [key], "for update");
          if (!letter) continue;
          const { body, ...message } = toMessage(letter);
          await connection.query("delete from messages where sequence = $1::bigint", [key.sequence]);
          await insertMessage(connection, { ...message, body });
          items.push(message);
        }
        if (items.length < askedIds(parameters).size) throw new ApiError(404, "some dead letters were not found");
        return { ...page, items };
      }),
  };
}

type LetterKey = Pick<DeadLetter, "failedAtMs" | "sequence">;

/**
 * The keys of a page, newest first. All ids that are asked for are one page; else it ends after `count` letters, and with
 * the one whose bodies pass `bytesMax`. One row more than a page tells whether there is a next one.
 */
async function readPage(
  connection: Connection,
  parameters: QueryParameters,
  bytesMax = Number.POSITIVE_INFINITY,
): Promise<Page<LetterKey>> {
  const filter = createFilter(idsOrFilters(parameters, "dlqIds"), conditions);
  const count = readCount(parameters, pageMax);
  const limit = parameters.has("count") ? count : Math.max(count, askedIds(parameters).size);
  const { rows } = await connection.query<LetterKey & { bytes: number }>(
    `select failed_at_ms as "failedAtMs", sequence,
       octet_length(body) + coalesce(octet_length(response_body), 0) as bytes
     from messages where state = 'dead' and ${filter.where}
     order by failed_at_ms desc, sequence desc limit ${limit + 1}`,
    filter.values,
  );
  const items: LetterKey[] = [];
  let bytes = 0;
  for (const row of rows.slice(0, limit)) {
    if (bytes > bytesMax) break;
    bytes += row.bytes;
    items.push(row);
  }
  const last = items.at(-1);
  return rows.length > items.length && last ? { items, cursor: toDlqId(last) } : { items };
}

async function readLetters(connection: Connection, keys: readonly LetterKey[], lock = ""): Promise<DeadLetter[]> {
  const { rows } = await connection.query<DeadLetter>(
    `select ${deadLetterColumns} from messages where sequence = any($1::bigint[]) and state = 'dead'
     order by failed_at_ms desc, sequence desc ${lock}`,
    [keys.map(({ sequence }) => sequence)],
  );
  return rows;
}

function askedIds(parameters: QueryParameters): ReadonlySet<string> {
  return new Set(parameters.get("dlqIds")?.flatMap((ids) => ids.split(",")));
}

function toDlqId(letter: LetterKey): string {
  return dlqIdOf(letter.failedAtMs, letter);
}

function parseDlqId(text: string | undefined): { failedAtMs: number; sequence: number } {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(text ?? "");
  if (!match) throw new ApiError(400, "invalid cursor");
  return { failedAtMs: Number(match[1]), sequence: Number(match[2]) };
}
