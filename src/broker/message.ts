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
}

/** A publish that was understood but not yet accepted. */
export interface Publication extends DeliverySettings {
  body: Uint8Array;
  notBeforeMs: number;
  labels: readonly string[];
  callback: DeliverySettings | null;
  failureCallback: DeliverySettings | null;
  callerIp: string;
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
}

/** A message that failed for good, with the last response, if there was one. */
export interface DeadLetter extends Message {
  failedAtMs: number;
  responseStatus: number | null;
  responseHeader: HeaderMap | null;
  responseBody: Uint8Array | null;
}

/** `<ms>-<n>`, as QStash forms them; a message dies at most once, so its sequence number keeps two of a millisecond apart. */
export function dlqIdOf(failedAtMs: number, message: Pick<Message, "sequence">): string {
  return `${failedAtMs}-${message.sequence}`;
}

/** `content-type` → `Content-Type`. */
export function canonicalHeaderName(name: string): string {
  return name.toLowerCase().replaceAll(/(^|-)[a-z]/g, (initial) => initial.toUpperCase());
}

/** Go's `http.Header` as JSON, from the headers of a response. */
export function toHeaderMap(headers: Headers): HeaderMap {
  const map: Record<string, string[]> = {};
  for (const [name, value] of headers) (map[canonicalHeaderName(name)] ??= []).push(value);
  return map;
}
