/** What a handler does in the place of succeeding. `block` holds the event loop for 3 s and then succeeds. */
export type HandlerFault = "throw" | "throw-null" | "hang" | "block" | "leak" | "exit";

/** For every call from now on. */
export interface HandlerOrders {
  /** How long a handler takes. */
  delayMs: number;
  /** By the event's kind. */
  faults: Readonly<Record<string, HandlerFault>>;
}

export interface LedgerLine {
  key: string;
  attempt: number;
  did: "begin" | "end";
  atMs: number;
  pid: number;
}
