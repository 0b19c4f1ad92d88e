import { systemClock } from "#platform/clock.ts";

export interface FunctionRequest {
  method: "GET" | "POST";
  /** With its question mark. */
  query: string;
  headers: Record<string, string>;
  body?: Uint8Array<ArrayBuffer>;
}

/** Where a function is when its response is out and what it registered is done: frozen, gone, or as it was before. */
export type Rest = "frozen" | "ended" | "running";

/** What happens to a request. */
export interface Exchange {
  /** Of the response, once all of it is there; null if the function was ended before. */
  status: Promise<number | null>;
  rest: Promise<Rest>;
}

/** A function that freezes itself whenever its response is out and nothing that was registered is pending. */
export interface FunctionInstance {
  /** One request at a time; a frozen function runs again. */
  send(request: FunctionRequest): Exchange;
  /** Ends it wherever it is. */
  end(): Promise<void>;
  isEnded(): boolean;
}

/** Where a function is sent its requests. */
export interface FunctionHost {
  /** Resolves when a function is there, so that no time is taken of its start. */
  ready(): Promise<void>;
  send(request: FunctionRequest): Exchange;
  close(): Promise<void>;
}

export interface FunctionHostOptions {
  open: () => Promise<FunctionInstance>;
  atRest: "frozen" | "ended";
  /** How long a request and what it registered may take together; then the function is ended. */
  deadlineMs?: number;
}

/** A model that takes longer for anything of its own is broken. */
export const hostLimitMs = 30_000;

/** A platform in small, for functions of any runtime. */
export function createFunctionHost({ open, atRest, deadlineMs }: FunctionHostOptions): FunctionHost {
  let instance: FunctionInstance | undefined;
  return {
    async ready() {
      if (instance?.isEnded() === false) return;
      instance = await open();
      // The first request loads what is loaded late.
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
