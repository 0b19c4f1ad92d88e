import { systemClock } from "#platform/clock.ts";

export interface FunctionRequest {
  method: "GET" | "POST";
  /** Starts with a question mark, or is empty. */
  query: string;
  headers: Record<string, string>;
  body?: Uint8Array<ArrayBuffer>;
}

/** The state of a function once its response is sent and its registered work is done. */
export type Rest = "frozen" | "ended" | "running";

/** The course of one request. */
export interface Exchange {
  /** The response's status, once the whole response has arrived; null if the function ended before that. */
  status: Promise<number | null>;
  rest: Promise<Rest>;
}

/** A function that freezes itself whenever its response is sent and no registered work is pending. */
export interface FunctionInstance {
  /** Sends one request at a time. It wakes a frozen function. */
  send(request: FunctionRequest): Exchange;
  /** Ends the function in any state. */
  end(): Promise<void>;
  isEnded(): boolean;
}

/** A model of a platform that hosts one function. */
export interface FunctionHost {
  /** Resolves when an instance is warm, so that measurements do not include its start. */
  ready(): Promise<void>;
  send(request: FunctionRequest): Exchange;
  close(): Promise<void>;
}

export interface FunctionHostOptions {
  open: () => Promise<FunctionInstance>;
  atRest: "frozen" | "ended";
  /** For a request and its registered work together; after that the function is ended. Without it there is no limit. */
  deadlineMs?: number;
}

/** Longer than any step of a model takes that works. */
export const hostLimitMs = 30_000;

/** Creates a host that opens an instance when it needs one, and freezes or ends it when it is at rest. */
export function createFunctionHost({ open, atRest, deadlineMs }: FunctionHostOptions): FunctionHost {
  let instance: FunctionInstance | undefined;
  return {
    async ready() {
      if (instance?.isEnded() === false) return;
      instance = await open();
      // The first request makes the function load its modules.
      await instance.send({ method: "GET", query: "", headers: {} }).rest;
    },
    send(request) {
      const current = instance;
      if (current === undefined) throw new Error("There is no function yet");
      const cancel = deadlineMs === undefined ? () => {} : systemClock.after(deadlineMs, () => void current.end());
      const { status, rest } = current.send(request);
      const rested = rest.then(async () => {
        cancel();
        if (atRest === "ended") await current.end();
        return current.isEnded() ? "ended" : "frozen";
      });
      return { status, rest: rested };
    },
    close: async () => instance?.end(),
  };
}
