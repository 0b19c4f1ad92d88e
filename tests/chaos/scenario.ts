import type { Requirement } from "./judge.ts";
import type { Rig } from "./rig.ts";

/** The time of a run, counted from the first delivery. */
export interface Stage {
  /** Resolves when the fault is to begin. */
  begin(): Promise<void>;
  /** Resolves when it is to end. */
  end(): Promise<void>;
}

export interface Scenario {
  name: string;
  /** For people. */
  title: string;
  requirement: Requirement;
  env?: Record<string, string>;
  /** Whether the fault is one of the database's server, which QStash then must not share. */
  hasOwnPostgres?: boolean;
  /** Makes the fault and ends it; runs beside the deliveries. */
  disturb(rig: Rig, stage: Stage): Promise<void>;
}
