/** Stops what has been started, in reverse order. */
export interface Teardown {
  /** Adds a step; the step that was added last runs first. */
  add(name: string, stop: (hurry: AbortSignal) => Promise<void> | void): void;
  /** Runs all steps, also if some fail. `onStep` is called before each. A second call waits for the first run. */
  run(hurry: AbortSignal, onStep?: (name: string) => void): Promise<void>;
}

/** `onError` is called for each step that fails. */
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
