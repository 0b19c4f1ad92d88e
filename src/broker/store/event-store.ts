import type { Pool } from "pg";

import type { Page } from "./dead-letter-store.ts";
import type { DeliverySettings, FlowControlSettings, HeaderMap } from "../message.ts";
import {
  commonConditions,
  compared,
  type Condition,
  createFilter,
  hostAndPathConditions,
  idsOrFilters,
  ignored,
  oneOf,
  oneOfWholeNumbers,
  type QueryParameters,
  readCount,
} from "../api/query-filter.ts";

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
  topicName: string | null;
  endpointName: string | null;
  scheduleId: string | null;
  queueName: string | null;
  /** What follows is of the message, and `null` where that came before the log kept it. */
  header: HeaderMap | null;
  body: Uint8Array | null;
  timeoutMs: number | null;
  callback: DeliverySettings | null;
  failureCallback: DeliverySettings | null;
  retryDelay: string | null;
  redact: readonly string[] | null;
  flowControl: FlowControlSettings | null;
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
  state: (states, bind) =>
    `state = any(${bind(states.flatMap((state) => state.split(",")).flatMap(statesCalled))}::text[])`,
  fromDate: compared("at_ms", ">="),
  toDate: compared("at_ms", "<="),
  count: ignored,
  cursor: compared("id", "<="),
};

/** The statements about log entries: append, list, prune. */
export function createEventStore(pool: Pool): EventStore {
  return {
    async list(parameters) {
      const filter = createFilter(idsOrFilters(parameters, "messageIds"), conditions);
      const count = readCount(parameters, pageMax);
      const { rows } = await pool.query<MessageEvent>(
        `with page as (select * from events where ${filter.where} order by id desc limit ${count + 1})
         select page.id, page.at_ms as "atMs", page.message_id as "messageId", page.state, page.url, page.method,
           page.labels, page.max_retries as "maxRetries", page.error, page.next_delivery_at_ms as "nextDeliveryAtMs",
           page.response_status as "responseStatus", page.response_header as "responseHeader",
           page.response_body as "responseBody", page.topic_name as "topicName", page.endpoint_name as "endpointName",
           page.schedule_id as "scheduleId", page.queue_name as "queueName", created.flow_control as "flowControl",
           created.header, created.body, created.timeout_ms as "timeoutMs", created.callback,
           created.failure_callback as "failureCallback", created.retry_delay as "retryDelay", created.redact
         from page left join lateral (
           select * from events where message_id = page.message_id and state = 'CREATED' limit 1
         ) as created on true
         order by page.id desc`,
        filter.values,
      );
      const next = rows[count];
      return next ? { items: rows.slice(0, count), cursor: String(next.id) } : { items: rows };
    },
  };
}

/** `IN_PROGRESS` is no state of an event but a filter, for the three that QStash's API reference names. */
function statesCalled(name: string): string[] {
  if (name === "IN_PROGRESS") return ["ACTIVE", "RETRY", "ERROR"];
  return name === "CANCELLED" ? ["CANCELED"] : [name];
}
