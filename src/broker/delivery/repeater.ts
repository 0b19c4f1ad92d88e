/** Runs work again and again on request, one run at a time. */
export interface Repeater {
  /** Has the work run now, or once more if it is running; resolves after that run. */
  request(): Promise<void>;
  /** Resolves when no run is under way or requested. */
  idle(): Promise<void>;
}

/** `work` must not reject. */
export function createRepeater(work: () => Promise<void>): Repeater {
  let running: Promise<void> | undefined;
  let next: { promise: Promise<void>; resolve: () => void } | undefined;

  async function run(): Promise<void> {
    for (let current = next; current; current = next) {
      next = undefined;
      await work();
      current.resolve();
    }
    running = undefined;
  }

  return {
    request() {
      next ??= createDeferred();
      const { promise } = next;
      running ??= run();
      return promise;
    },
    idle: async () => running,
  };
}

/** A promise and what resolves it. */
export function createDeferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
