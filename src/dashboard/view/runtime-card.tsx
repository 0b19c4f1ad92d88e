import type { RuntimeSummary } from "#measurements/runtime-comparison.ts";

import { formatCount, formatMs, formatShare, runtimeLabel } from "../format.ts";
import { RuntimeMark } from "./runtime-mark.tsx";
import figures from "./facts.module.css";
import text from "./text.module.css";
import { Panel } from "./panel.tsx";

/** The figures of one runtime in the window. */
export function RuntimeCard({ summary }: { summary: RuntimeSummary }) {
  const { runtime, ackMs, publishMs } = summary;
  const errors = Object.entries(summary.errors);
  // Both figures contain the deliveries that were not kept, unless a report is missing.
  const { NOT_KEPT: notKept = 0, ...others } = summary.refusals;
  const refused = Object.values(others).reduce((total, count) => total + count, Math.max(notKept, summary.refused));
  return (
    <Panel id={`runtime-${runtime}`} title={<RuntimeMark runtime={runtime} />} aside={<ColdStarts {...summary} />}>
      <dl className={figures["headline"]}>
        <Fact name="Deliveries" value={formatCount(summary.deliveries)} />
        <Fact name="Events" value={formatCount(summary.events)} />
        <Fact name="Publish success" value={formatShare(summary.publishSuccessRate)} />
      </dl>
      <dl className={figures["facts"]} aria-label={`${runtimeLabel(runtime)} latencies and failures`}>
        <Fact name="Ack p50" value={formatMs(ackMs?.p50)} />
        <Fact name="Ack p95" value={formatMs(ackMs?.p95)} />
        <Fact name="Ack p99" value={formatMs(ackMs?.p99)} />
        <Fact name="Publish p50" value={formatMs(publishMs?.p50)} />
        <Fact name="Publish p95" value={formatMs(publishMs?.p95)} />
        <Fact name="Publish p99" value={formatMs(publishMs?.p99)} />
        <Fact name="Fallback" value={formatCount(summary.fallback)} tone={summary.fallback > 0 ? "warn" : undefined} />
        <Fact name="Lost" value={formatCount(summary.lost)} tone={summary.lost > 0 ? "bad" : undefined} />
        <Fact name="Refused" value={formatCount(refused)} tone={refused > 0 ? "warn" : undefined} />
        <Fact name="Timeouts" value={timeoutsOf(summary)} />
        <Fact
          name="Errors"
          value={errors.length === 0 ? "none" : errors.map(([type, count]) => `${type} × ${count}`).join(", ")}
          rest
        />
      </dl>
    </Panel>
  );
}

/** The count with its total: three in ten deliveries is worse than three in ten thousand. */
function timeoutsOf({ publishTimeouts, deliveries }: RuntimeSummary): string {
  return publishTimeouts === 0 ? "0" : `${formatCount(publishTimeouts)} in ${formatCount(deliveries)}`;
}

function ColdStarts({ coldStarts }: { coldStarts: number }) {
  return (
    <span className={text["dimmed"]}>
      {formatCount(coldStarts)} cold {coldStarts === 1 ? "start" : "starts"}
    </span>
  );
}

function Fact(props: { name: string; value: string; tone?: "warn" | "bad" | undefined; rest?: boolean }) {
  return (
    <div data-rest={props.rest}>
      <dt>{props.name}</dt>
      <dd data-tone={props.tone}>{props.value}</dd>
    </div>
  );
}
