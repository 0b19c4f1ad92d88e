/** Why a batch was given up: QStash's retries were used up, or the consumer refused the batch for ever. */
type BatchCause = "qstash" | "undecodable" | "too-large";

/** A batch that was given up, as it is stored. Declared once, for what describes it and what stores it. */
export interface DeadBatch {
  cause: BatchCause;
  /** QStash's id of its own dead letter; null where only the consumer knows of it. */
  dlqId: string | null;
  /** Of the QStash message. */
  messageId: string;
  /** As on the wire; null if the body does not say it. Likewise the index. */
  deliveryId: string | null;
  batchIndex: number | null;
  url: string;
  /** The consumer's last answer; 0 without one. */
  status: number;
  attempts: number;
  errorName: string;
  errorCode: string | null;
  deployment: string | null;
  body: Uint8Array | null;
  bodyWhole: boolean;
  /** When it was given up, and when QStash deletes its own copy; in ms since the epoch. */
  failedAtMs: number;
  expiresAtMs: number | null;
}
