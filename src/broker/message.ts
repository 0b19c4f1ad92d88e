/** Header values under Go's spelling of the name (`Content-Type`), which is how QStash stores and shows them. */
export type HeaderMap = Readonly<Record<string, readonly string[]>>;

/** How one URL is to be called: the part that messages and their callbacks have in common. */
export interface DeliverySettings {
  url: string;
  method: string;
  header: HeaderMap;
  /** Attempts after the first. */
  maxRetries: number;
  /** `null`: no limit was asked for. */
  timeoutMs: number | null;
  /** The expression of `Upstash-Retry-Delay`; callbacks stored by older versions have none. */
  retryDelay?: string | null;
}

/** The limits that a publish gives to its flow-control key. */
export interface FlowControlSettings {
  key: string;
  parallelism: number | null;
  rate: number | null;
  periodSeconds: number;
}

/** What a message carries besides its delivery settings, given by the publisher or by where it came through. */
export interface MessageFacts {
  labels: readonly string[];
  callback: DeliverySettings | null;
  failureCallback: DeliverySettings | null;
  callerIp: string;
  flowControl: FlowControlSettings | null;
  /** `body`, `header`, `header[Name]`: shown as a hash, delivered as it is. */
  redact: readonly string[];
  queueName: string | null;
  topicName: string | null;
  endpointName: string | null;
  scheduleId: string | null;
}

/** A publish that was understood but not yet accepted. */
export interface Publication extends DeliverySettings, MessageFacts {
  body: Uint8Array;
  notBeforeMs: number;
  deduplicationId: string | null;
}

/** An accepted message. */
export interface Message extends Omit<Publication, "deduplicationId"> {
  messageId: string;
  createdAtMs: number;
  /** Grows in the order of acceptance. */
  sequence: number;
  /** Retries made so far: 0 during the first attempt. */
  retried: number;
  /** What it shares its turn with, see lanes.ts. */
  lane: string;
  /** In a queue: the sequence number whose turn it takes; a callback takes that of its message. `null`: its own. */
  line: number | null;
}

/** A message that failed for good, with the last response, if there was one. */
export interface DeadLetter extends Message {
  failedAtMs: number;
  responseStatus: number | null;
  responseHeader: HeaderMap | null;
  responseBody: Uint8Array | null;
  /** Why the last attempt failed. */
  error: string | null;
}

/** `<ms>-<n>`, as QStash forms them; a message dies at most once, so its sequence number keeps two of a millisecond apart. */
export function dlqIdOf(failedAtMs: number, message: Pick<Message, "sequence">): string {
  return `${failedAtMs}-${message.sequence}`;
}

/** `content-type` → `Content-Type`. */
export function canonicalHeaderName(name: string): string {
  return name.toLowerCase().replaceAll(/(^|-)[a-z]/g, (initial) => initial.toUpperCase());
}
