import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

import { findWithin } from "../support/eventually.ts";
import { holdChild } from "./bench-child.ts";

export interface SinkQuestion {
  /** From now on QStash answers after so long, null for never; whoever still waits has the answer at once. */
  delayMs?: number | null;
}

export interface SinkState {
  qstashUrl: string;
  relayUrl: string;
  /** Requests since the start; and of these to QStash. */
  requests: number;
  published: number;
  /** Requests that are not answered yet. */
  open: number;
  /** Since the last request came or was answered. */
  quietMs: number;
}

export interface BenchSink {
  /** Different origins, as in reality: connections to one are not reused for the other. */
  qstashUrl: string;
  relayUrl: string;
  setDelay(delayMs: number | null): Promise<void>;
  read(): Promise<SinkState>;
  /**
   * Resolves when nothing is on its way any more and nothing has been for so long, by default for longer than a forward
   * waits before it tries again; throws if that does not come. With `published`, also not before QStash has got so many
   * messages since the start: on a busy machine a forward may begin late.
   */
  untilQuiet(quietMs?: number, published?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Before its last attempt a forward waits 400 ms. */
const quietMsUsual = 500;
/** Longer than a forward may take, its fallback and report included, and than thousands of publishes on a busy machine. */
const quietLimitMs = 120_000;

/** Starts sink-process.ts. */
export async function startBenchSink(): Promise<BenchSink> {
  const file = fileURLToPath(new URL("sink-process.ts", import.meta.url));
  const child = holdChild(
    fork(file, { execArgv: ["--import", "tsx"], stdio: ["ignore", "inherit", "inherit", "ipc"] }),
    "sink",
  );
  const ask = (question: SinkQuestion) => child.ask<SinkState>(question);
  const { qstashUrl, relayUrl } = await ask({});
  return {
    qstashUrl,
    relayUrl,
    async setDelay(delayMs) {
      await ask({ delayMs });
    },
    read: () => ask({}),
    async untilQuiet(quietMs = quietMsUsual, published = 0) {
      let state: SinkState | undefined;
      const isQuiet = async () => {
        state = await ask({});
        return state.open === 0 && state.quietMs >= quietMs && state.published >= published;
      };
      if (!(await findWithin(quietLimitMs, isQuiet))) {
        throw new Error(
          `After ${quietLimitMs / 1_000} s ${state?.open} requests were still open and ${state?.published} messages published`,
        );
      }
    },
    stop: () => child.stop(),
  };
}
