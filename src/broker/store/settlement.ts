import type { HeaderMap, Message } from "../message.ts";
import { type Connection, eventColumns, insertMessage, type NewMessage } from "./message-rows.ts";

/** What one attempt brought: a response, or the reason why there was none. */
export interface Attempt {
  response: { status: number; header: HeaderMap; body: Uint8Array } | null;
  error: string | null;
}

/** What becomes of a message after an attempt. */
export type Verdict = { state: "delivered" } | { state: "waiting"; dueAtMs: number } | { state: "dead" };

export interface Settlement {
  message: Message;
  attempt: Attempt;
  verdict: Verdict;
  atMs: number;
  /** Messages that exist because of this attempt; they are accepted together with the verdict or not at all. */
  callbacks: readonly NewMessage[];
}

/** An event shows how a response began; the whole of it is in the dead letter. */
const eventResponseBytesMax = 4096;

/** Ends an active message's attempt; `false` if the message was cancelled in the meantime. To be run in one transaction. */
export async function recordSettlement(connection: Connection, settlement: Settlement): Promise<boolean> {
  const settled = await settleOne(connection, settlement);
  if (settled) for (const callback of settlement.callbacks) await insertMessage(connection, callback);
  return settled;
}

/** One statement for the message and its events: they cannot disagree, and a cancelled message gets neither. */
async function settleOne(connection: Connection, settlement: Settlement): Promise<boolean> {
  const { message, attempt, verdict, atMs } = settlement;
  const { response } = attempt;
  const { rowCount } = await connection.query({
    name: `settle-${verdict.state}`,
    text: settleSql[verdict.state],
    values: [
      message.messageId,
      atMs,
      verdict.state === "waiting" ? verdict.dueAtMs : null,
      response?.status ?? null,
      response?.header ?? null,
      response?.body ?? null,
      attempt.error,
    ],
  });
  return (rowCount ?? 0) > 0;
}

const settleSql: Readonly<Record<Verdict["state"], string>> = {
  delivered: settleSqlFor("delete from messages where message_id = $1 and state = 'active'", ["DELIVERED"]),
  waiting: settleSqlFor(
    `update messages set state = 'waiting', retried = retried + 1, due_at_ms = $3::bigint
     where message_id = $1 and state = 'active'`,
    ["ERROR", "RETRY"],
  ),
  dead: settleSqlFor(
    `update messages set state = 'dead', failed_at_ms = $2::bigint, response_status = $4::integer,
       response_header = $5::json, response_body = $6::bytea, error = $7::text
     where message_id = $1 and state = 'active'`,
    ["ERROR", "FAILED"],
  ),
};

function settleSqlFor(change: string, states: readonly string[]): string {
  const steps = states.map((state, index) => `('${state}', ${index})`).join(", ");
  return `
    with settled as (${change} returning *)
    insert into events (at_ms, state, ${eventColumns}, error, next_delivery_at_ms, response_status, response_header,
      response_body)
    select $2::bigint, step.state, ${eventColumns}, $7::text, $3::bigint, $4::integer, $5::json,
      substring($6::bytea from 1 for ${eventResponseBytesMax})
    from settled, (values ${steps}) as step (state, position) order by position`;
}
