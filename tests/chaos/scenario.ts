import type { Requirement } from "./judge.ts";
import type { Rig } from "./rig.ts";

/** The time of a run, counted from the first delivery. */
export interface Stage {
  /** Resolves when the fault is to begin. */
  begin(): Promise<void>;
  /** Resolves when it is to end. */
  end(): Promise<void>;
  /** Resolves after so long, for a fault that lasts as long as it has to. */
  wait(ms: number): Promise<void>;
  /** Resolves when the state has come; throws if it does not within the run's limit. */
  until(state: string, isReached: () => Promise<boolean>): Promise<void>;
  /** Adds a figure to the result. */
  note(name: string, value: number): void;
}

export interface Scenario {
  name: string;
  /** For people. */
  title: string;
  requirement: Requirement;
  env?: Record<string, string>;
  /** Whether the fault is one of the database's server, which QStash then must not share. */
  hasOwnPostgres?: boolean;
  /** Whether there is a pooler between the server and its database. */
  hasPooler?: boolean;
  /**
   * Whether a success may be repeated: where the process died, or the database was away, before it was stored. Else each
   * handler succeeds once.
   */
  mayRepeat?: boolean;
  /** Makes the fault and ends it; runs beside the deliveries. */
  disturb(rig: Rig, stage: Stage): Promise<void>;
}
