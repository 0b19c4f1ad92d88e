import type { Pool } from "pg";

import type { Page } from "./dead-letter-store.ts";
import type { HeaderMap } from "./message.ts";
import {
  commonConditions,
  compared,
  type Condition,
  createFilter,
  hostAndPathConditions,
  ignored,
  oneOf,
  oneOfWholeNumbers,
  type QueryParameters,
  readCount,
} from "./query-filter.ts";

type MessageState = "CREATED" | "ACTIVE" | "DELIVERED" | "ERROR" | "RETRY" | "FAILED" | "CANCEL_REQUESTED" | "CANCELED";

/** One change of a message's state. */
export interface MessageEvent {
  id: number;
  atMs: number;
  messageId: string;
  state: MessageState;
  url: string;
  method: string;
  labels: readonly string[];
  maxRetries: number;
  error: string | null;
  nextDeliveryAtMs: number | null;
  responseStatus: number | null;
  responseHeader: HeaderMap | null;
  responseBody: Uint8Array | null;
}

export interface EventStore {
  /** A page of at most 100 events, newest first. */
  list(parameters: QueryParameters): Promise<Page<MessageEvent>>;
}

const pageMax = 100;

const conditions: Readonly<Record<string, Condition>> = {
  ...commonConditions,
  ...hostAndPathConditions,
  messageId: oneOf("message_id"),
  messageIds: oneOf("message_id"),
  responseStatus: oneOfWholeNumbers("response_status"),
  state: ([state = ""], bind) => `state = any(${bind(statesCalled(state))}::text[])`,
  fromDate: compared("at_ms", ">="),
  toDate: compared("at_ms", "<="),
  count: ignored,
  cursor: compared("id", "<="),
};

export function createEventStore(pool: Pool): EventStore {
  return {
    async list(parameters) {
      const filter = createFilter(parameters, conditions);
      const count = readCount(parameters, pageMax);
      const { rows } = await pool.query<MessageEvent>(
        `select id, at_ms as "atMs", message_id as "messageId", state, url, method, labels, max_retries as "maxRetries",
           error, next_delivery_at_ms as "nextDeliveryAtMs", response_status as "responseStatus",
           response_header as "responseHeader", response_body as "responseBody"
         from events where ${filter.where} order by id desc limit ${count + 1}`,
        filter.values,
      );
      const next = rows[count];
      return next ? { items: rows.slice(0, count), cursor: String(next.id) } : { items: rows };
    },
  };
}

/** `IN_PROGRESS` is no state of an event but a filter for all that are not the end of a message. */
function statesCalled(name: string): string[] {
  if (name === "IN_PROGRESS") return ["CREATED", "ACTIVE", "ERROR", "RETRY", "CANCEL_REQUESTED"];
  return name === "CANCELLED" ? ["CANCELED"] : [name];
}
