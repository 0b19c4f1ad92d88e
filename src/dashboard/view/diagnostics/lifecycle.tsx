import { Badge, Button } from "@mantine/core";
import Link from "next/link";

import type { Verdict } from "#lifecycle-experiment/judge-run.ts";
import { strategies } from "#lifecycle-experiment/strategies.ts";

import { formatMs } from "../../format.ts";
import type { Diagnostics } from "../../diagnostics/read-diagnostics.ts";
import type { LifecycleExperiment, LifecycleRun } from "../../diagnostics/read-lifecycle.ts";
import { RuntimeMark } from "../runtime-mark.tsx";
import badges from "../badges.module.css";
import pagers from "../pager.module.css";
import tables from "../table.module.css";
import text from "../text.module.css";
import { Panel, ScrollBox } from "../panel.tsx";
import { RunExperiment, type Until } from "./run-experiment.tsx";
import { Timestamp } from "../timestamp.tsx";

/** Props of `Lifecycle`. */
export interface LifecycleProps extends Omit<Diagnostics, "checked"> {
  nowMs: number;
}

/** Starts the lifecycle experiment and shows one. It never sends a request by itself. */
export function Lifecycle({ experiment, underWayUntil, others, nowMs }: LifecycleProps) {
  return (
    <>
      <div>
        <h2 className={text["pageTitle"]}>What survives the response</h2>
        <p className={`${text["pageHint"]} ${text["prose"]}`}>
          A serverless platform may stop a function as soon as it has answered. This experiment starts the same work in
          each of the ways that code commonly uses, on each runtime of this deployment, and shows which of the work was
          done. Any request can wake a frozen instance, including the request for this page. Run the experiment while
          there is no other traffic, close other tabs of the dashboard, and look at the result once, when the countdown
          ends.
        </p>
      </div>
      <RunExperiment
        result={
          experiment && {
            id: experiment.id,
            conclusion: experiment.conclusion,
            lookAgain: until(experiment.lookAgainAt, nowMs),
          }
        }
        underWay={until(underWayUntil, nowMs)}
      />
      {experiment !== null && <Experiment experiment={experiment} nowMs={nowMs} />}
      {others.length > 0 && (
        <Panel id="experiments" title="Experiments">
          <ul className={pagers["links"]}>
            {others.map(({ id, startedAt }) => (
              <li key={id}>
                <Link
                  href={`/dashboard/diagnostics?experiment=${id}`}
                  prefetch={false}
                  aria-current={id === experiment?.id ? "page" : undefined}
                >
                  <Timestamp iso={startedAt} nowMs={nowMs} />
                </Link>
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  );
}

function until(iso: string | null, nowMs: number): Until | null {
  return iso === null ? null : { iso, leftMs: Date.parse(iso) - nowMs };
}

function Experiment({ experiment, nowMs }: { experiment: LifecycleExperiment; nowMs: number }) {
  const { id, startedAt, runs } = experiment;
  return (
    <Panel
      id="runs"
      title={
        <>
          Started at <Timestamp iso={startedAt} nowMs={nowMs} /> UTC
        </>
      }
      aside={
        <form method="get" action="/dashboard/diagnostics">
          <input type="hidden" name="experiment" value={id} />
          <Button type="submit" variant="default" size="xs">
            Look now
          </Button>
        </form>
      }
    >
      <RunsTable runs={runs} />
    </Panel>
  );
}

function RunsTable({ runs }: { runs: readonly LifecycleRun[] }) {
  return (
    <ScrollBox label="Runs">
      <table className={tables["table"]}>
        <caption>What became of the work of each strategy on each runtime; a dash means that there is no value</caption>
        <thead>
          <tr>
            <th scope="col">Strategy</th>
            <th scope="col">Runtime</th>
            <th scope="col">Mark</th>
            <th scope="col" data-numeric>
              Arrived after
            </th>
            <th scope="col" data-numeric>
              Due after
            </th>
            <th scope="col" data-numeric>
              Answer took
            </th>
            <th scope="col">Meaning</th>
          </tr>
        </thead>
        {strategies.map((strategy) => {
          const ofStrategy = runs.filter((run) => run.strategy === strategy);
          return (
            <tbody key={strategy}>
              {ofStrategy.map((run, index) => (
                <tr key={run.runtime}>
                  {index === 0 && (
                    <th
                      scope="rowgroup"
                      rowSpan={ofStrategy.length}
                      className={`${text["mono"]} ${tables["strategy"]}`}
                    >
                      {strategy}
                    </th>
                  )}
                  <td>
                    <RuntimeMark runtime={run.runtime} />
                    {run.region !== null && <span className={tables["meaning"]}>{run.region}</span>}
                  </td>
                  <td>
                    <VerdictBadge verdict={run.verdict} />
                  </td>
                  <td data-numeric>{formatMs(run.arrivedAfterMs)}</td>
                  <td data-numeric>{run.verdict === "unavailable" ? "–" : formatMs(run.dueAfterMs)}</td>
                  <td data-numeric>{formatMs(run.answerMs)}</td>
                  <td className={tables["sentence"]}>{run.meaning}</td>
                </tr>
              ))}
            </tbody>
          );
        })}
      </table>
    </ScrollBox>
  );
}

const verdictColors: Record<Verdict, string> = {
  "on time": "green",
  late: "orange",
  never: "red",
  pending: "gray",
  unavailable: "gray",
  failed: "red",
};

function VerdictBadge({ verdict }: { verdict: Verdict }) {
  const variant = verdict === "pending" || verdict === "unavailable" ? "outline" : "light";
  return (
    <Badge variant={variant} color={verdictColors[verdict]} radius="sm" tt="none" className={badges["badge"]}>
      {verdict}
    </Badge>
  );
}
