/** What the servers of one start share: how a step is shown, when to stop, and what has to be stopped. */
import type { StopRequest } from "./stop-request.ts";
import type { Teardown } from "./teardown.ts";

export interface ServerLifetime {
  /** An existing folder whose lock the caller holds; logs and data lie in it. */
  dataDir: string;
  /** Gets the log lines of the server and the broker while they are written; undefined shows none. */
  follow: ((text: string) => void) | undefined;
  /** Runs one step and shows that it is done. Rejects with what the step rejects with, or if a stop was requested before. */
  step: <T>(doing: string, work: () => Promise<T>) => Promise<T>;
  /** Shows what happened to a server that is running, such as its end. */
  notice: (text: string) => void;
  stop: StopRequest;
  teardown: Teardown;
}
