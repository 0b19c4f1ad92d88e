import type { Strategy as ExperimentStrategy } from "#lifecycle-experiment/experiment.ts";
import { strategies as experimentStrategies } from "#lifecycle-experiment/strategies.ts";

/**
 * The experiment's strategies, with one exchanged. The slow race is left out, because in the proof it is the race itself
 * in the column in which QStash takes 3 s. `await SDK`, the publish of the first version without a time limit, is added:
 * the experiment has no QStash, so there such a wait would say nothing that the quick race does not.
 */
export type Strategy = Exclude<ExperimentStrategy, "await, 3 s race, slow work"> | "await SDK";

/** In the order of the table. */
export const strategies = experimentStrategies.flatMap((strategy): Strategy[] => {
  if (strategy === "await, 3 s race, slow work") return [];
  return strategy === "await, 3 s race" ? ["await SDK", strategy] : [strategy];
});
