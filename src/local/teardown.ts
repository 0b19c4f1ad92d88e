/** What has been started, stopped in reverse order. */
export interface Teardown {
  add(name: string, stop: (hurry: AbortSignal) => Promise<void> | void): void;
  /** Stops everything, whatever fails on the way; `onStep` hears of each before it happens. Calling it again joins the first. */
  run(hurry: AbortSignal, onStep?: (name: string) => void): Promise<void>;
}

export function createTeardown(onError: (name: string, error: unknown) => void): Teardown {
  const steps: { name: string; stop: (hurry: AbortSignal) => Promise<void> | void }[] = [];
  let running: Promise<void> | undefined;
  const runAll = async (hurry: AbortSignal, onStep?: (name: string) => void) => {
    for (let step = steps.pop(); step; step = steps.pop()) {
      onStep?.(step.name);
      try {
        await step.stop(hurry);
      } catch (error) {
        onError(step.name, error);
      }
    }
  };
  return {
    add: (name, stop) => void steps.push({ name, stop }),
    run: (hurry, onStep) => (running ??= runAll(hurry, onStep)),
  };
}
