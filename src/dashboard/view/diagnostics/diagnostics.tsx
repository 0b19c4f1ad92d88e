import type { Diagnostics as DiagnosticsData } from "../../diagnostics/read-diagnostics.ts";
import type { QueueView } from "../../status/queue-view.ts";
import { Lifecycle } from "./lifecycle.tsx";
import { CountsWhat } from "../list/counts-what.tsx";
import { PageHead } from "../page-head.tsx";
import { RunChecks } from "./run-checks.tsx";

/** Props of `Diagnostics`. */
export interface DiagnosticsProps extends DiagnosticsData {
  queue: Pick<QueueView, "title">;
  nowMs: number;
}

/** The doctor's checks on this relay, and the lifecycle experiment. It never sends a request by itself. */
export function Diagnostics({ checked, queue, ...lifecycle }: DiagnosticsProps) {
  return (
    <>
      <PageHead title="Diagnostics" hint="Whether this relay is configured and reaches everything it needs" />
      <RunChecks checked={checked} queue={queue.title} nowMs={lifecycle.nowMs} />
      <CountsWhat>
        The same checks as <code>npm run relay -- doctor</code> makes on the relay: each variable; whether {queue.title}{" "}
        accepts the relay’s credentials and messages, and whether they arrive; the name, connection, TLS and answer of
        Postgres, the relay itself and Meta. No value of a variable is shown. The last result is kept for those who may
        not run them.
      </CountsWhat>
      <Lifecycle {...lifecycle} />
    </>
  );
}
