import type { Pool } from "pg";

import type { Message } from "../message.ts";
import { eventColumns, messageColumns } from "./message-rows.ts";
import {
  commonConditions,
  compared,
  createFilter,
  hostAndPathConditions,
  ignored,
  oneOf,
  type QueryParameters,
} from "../api/query-filter.ts";

/** Messages on their way: accepted, neither delivered nor dead. */
export interface MessageStore {
  readMessage(messageId: string): Promise<Message | undefined>;
  /**
   * Cancels what the parameters select and resolves with the number cancelled; ids win over filters, and no parameter
   * at all selects everything. An attempt that is running goes on, but nothing follows it.
   */
  cancel(parameters: QueryParameters, nowMs: number): Promise<number>;
}

const conditions = {
  ...commonConditions,
  ...hostAndPathConditions,
  fromDate: compared("created_at_ms", ">="),
  toDate: compared("created_at_ms", "<="),
  // Bulk cancellation has taken all that match since September 2026.
  count: ignored,
  async: ignored,
};

/** The statements about messages that are not claimed: insert, read, cancel. */
export function createMessageStore(pool: Pool): MessageStore {
  return {
    async readMessage(messageId) {
      const { rows } = await pool.query<Message>(
        `select ${messageColumns} from messages where message_id = $1 and state <> 'dead'`,
        [messageId],
      );
      return rows[0];
    },

    async cancel(parameters, nowMs) {
      const ids = parameters.get("messageIds");
      const filter = ids
        ? createFilter(new Map([["messageIds", ids]]), { messageIds: oneOf("message_id") })
        : createFilter(parameters, conditions);
      const { rows } = await pool.query<{ cancelled: number }>(
        `with cancelled as (
           delete from messages where state <> 'dead' and ${filter.where} returning *
         ), logged as (
           insert into events (at_ms, state, ${eventColumns})
           select $${filter.values.length + 1}::bigint, step.state, ${eventColumns}
           from cancelled, (values ('CANCEL_REQUESTED', 0), ('CANCELED', 1)) as step (state, position)
           order by sequence, position
         )
         select count(*) as cancelled from cancelled`,
        [...filter.values, nowMs],
      );
      return rows[0]?.cancelled ?? 0;
    },
  };
}
