import type { ChildProcess } from "node:child_process";

import { settleWithin, systemClock } from "#platform/clock.ts";

import { atExit } from "../support/at-exit.ts";

/** A Node process of the bench that answers questions over its IPC channel. */
export interface BenchChild {
  /** One question at a time; throws if the process is gone or does not answer. */
  ask<Answer>(question: object): Promise<Answer>;
  /** Resolves when the process is gone. */
  stop(): Promise<void>;
  isGone(): boolean;
}

const answerLimitMs = 10_000;
const stopLimitMs = 5_000;

/** However the bench ends, the process does not outlive it: it is killed at our exit, and should watch for our end itself. */
export function holdChild(child: ChildProcess, name: string): BenchChild {
  const isGone = () => child.exitCode !== null || child.signalCode !== null;
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const kill = () => child.kill("SIGKILL");
  const cancelExit = atExit(kill);
  return {
    isGone,
    async ask<Answer>(question: object) {
      let listener: (message: { answer?: Answer }) => void = () => {};
      const answered = new Promise<Answer>((resolve) => {
        // Next, too, may have something to say.
        listener = ({ answer }) => answer !== undefined && resolve(answer);
      });
      child.on("message", listener);
      try {
        child.send(question);
        const answer = await settleWithin(systemClock, answerLimitMs, Promise.race([answered, exited]));
        if (answer === undefined) throw new Error(isGone() ? `The ${name} ended by itself` : `The ${name} is stuck`);
        return answer;
      } finally {
        child.off("message", listener);
      }
    },
    async stop() {
      if (!isGone()) {
        child.kill("SIGTERM");
        const cancel = systemClock.after(stopLimitMs, kill);
        await exited;
        cancel();
      }
      cancelExit();
    },
  };
}
