import type { Clock } from "#platform/clock.ts";

/** How long a message that is dealt with waits for a statement that is sent anyway. */
const gatherMs = 20;

interface Waiting {
  receipt: string;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** Messages that are dealt with, until a statement has deleted them. */
export interface DealtWith {
  /** Resolves once the message is deleted; rejects with the error of the statement that was to do it. */
  add: (receipt: string) => Promise<void>;
  /** Has `send` delete those that wait, whatever else it does, and settles as it does. */
  removeWith: <T>(send: (receipts: readonly string[]) => Promise<T>) => Promise<T>;
}

/** `remove` deletes those that no other statement has taken along in time. */
export function createDealtWith(remove: (receipts: readonly string[]) => Promise<void>, clock: Clock): DealtWith {
  let waiting: Waiting[] = [];
  let cancel = () => {};

  async function removeWith<T>(send: (receipts: readonly string[]) => Promise<T>): Promise<T> {
    cancel();
    const taken = waiting;
    waiting = [];
    try {
      const result = await send(taken.map(({ receipt }) => receipt));
      for (const { resolve } of taken) resolve();
      return result;
    } catch (thrown) {
      for (const { reject } of taken) reject(thrown);
      throw thrown;
    }
  }

  return {
    add: (receipt) =>
      new Promise((resolve, reject) => {
        waiting.push({ receipt, resolve, reject });
        // Its error is that of each who waits.
        if (waiting.length === 1) cancel = clock.after(gatherMs, () => void removeWith(remove).catch(() => {}));
      }),
    removeWith,
  };
}
