import { Group } from "@mantine/core";

import { runtimes } from "#platform/delivery.ts";

import { formatTime } from "../../format.ts";
import { type Conditions, deliveriesHref } from "../../lists/list-hrefs.ts";
import type { RuntimesPage } from "../../runtimes/read-runtimes-page.ts";
import { runtimesHref, type RuntimesQuery } from "../../runtimes/runtimes-query.ts";
import { PageHead } from "../page-head.tsx";
import { Pair } from "../panel.tsx";
import { windowLabel, WindowSelector } from "../window-selector.tsx";
import { ClockSkews } from "./clock-skews.tsx";
import { DamagedFigures } from "./damaged-figures.tsx";
import { Failures } from "./failures.tsx";
import { Filters } from "./filters.tsx";
import { LatencyOverTime } from "./latency-over-time.tsx";
import { Limits } from "./limits.tsx";
import { Parts } from "./parts.tsx";
import { Stages } from "./stages.tsx";
import { VerdictPanel } from "./verdict-panel.tsx";

/** Props of `Runtimes`. */
export interface RuntimesProps extends RuntimesPage {
  query: RuntimesQuery;
  nowMs: number;
}

/** The page "Edge and Node": which runtime is faster, and every figure that says so. */
export function Runtimes({ comparison, parts, coldVerdict, query, nowMs }: RuntimesProps) {
  const { from, to } = comparison.window;
  const [edge, node] = runtimes.map((name) => comparison.runtimes.find(({ runtime }) => runtime === name));
  const hrefOf = (more: Conditions) =>
    deliveriesHref({ from, to, region: query.region, deployment: query.deployment, ...more });
  return (
    <>
      <Group justify="space-between" align="end" gap="14px 24px">
        <PageHead
          title="Edge and Node"
          hint={`Received in ${windowLabel(query.window)}, as of ${formatTime(to, nowMs)} UTC`}
        />
        <WindowSelector current={query.window} hrefOf={(window) => runtimesHref({ ...query, window })} />
      </Group>
      <DamagedFigures count={comparison.damaged} />
      <VerdictPanel
        verdict={comparison.verdict}
        cold={coldVerdict}
        probes={{ edge: edge?.probeMs ?? null, nodejs: node?.probeMs ?? null }}
      />
      <Filters query={query} regions={comparison.regions} deployments={comparison.deployments.map(({ id }) => id)} />
      <LatencyOverTime comparison={comparison} query={query} />
      <Stages edge={edge} node={node} />
      <Parts parts={parts} query={query} />
      <Pair>
        <Failures summaries={comparison.runtimes} hrefOf={hrefOf} />
        <Limits summaries={comparison.runtimes} hrefOfSlower={(limitMs) => hrefOf({ ackMsMin: `${limitMs}` })} />
      </Pair>
      <ClockSkews skews={comparison.skew} />
    </>
  );
}
