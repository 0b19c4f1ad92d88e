import { Alert, List, ListItem } from "@mantine/core";
import Link from "next/link";
import type { ReactNode } from "react";

import type { ReplayPlan } from "#operations/describe-replay.ts";

import { setWords } from "../../repair/describe-run.ts";
import { formatCount, formatMs } from "../../format.ts";
import { KindBadge } from "../badges.tsx";
import figures from "../facts.module.css";
import { Panel, ScrollBox } from "../panel.tsx";
import tables from "../table.module.css";
import text from "../text.module.css";
import { Instant, Timestamp } from "../timestamp.tsx";

interface Fact {
  name: string;
  value: ReactNode;
  tone?: "warn" | undefined;
}

/** What a replay takes: counts by kind, state and age, its cost, some of the events, and what to think of before. */
export function PlanFacts({ plan, nowMs }: { plan: ReplayPlan; nowMs: number }) {
  const { byKind, byState, byAge, oldest, newest, qstashMessages, estimatedMs, warnings, sample } = plan;
  const late = (count: number): Fact["tone"] => (count > 0 ? "warn" : undefined);
  const facts: Fact[] = [
    { name: "Takes", value: setWords(plan) },
    { name: "Of kind", value: counts(byKind) },
    { name: "In state", value: counts(byState) },
    { name: "Happened under 24 hours ago", value: formatCount(byAge.lt24h) },
    { name: "Under 7 days ago", value: formatCount(byAge.lt7d), tone: late(byAge.lt7d) },
    { name: "Longer ago", value: formatCount(byAge.older), tone: late(byAge.older) },
    { name: "Oldest", value: oldest === null ? "–" : <Instant iso={oldest} minute /> },
    { name: "Newest", value: newest === null ? "–" : <Instant iso={newest} minute /> },
    { name: "Needs", value: `${formatCount(qstashMessages)} queue messages, about ${formatMs(estimatedMs)}` },
  ];
  return (
    <Panel id="plan" title="What it takes">
      <dl className={figures["facts"]}>
        {facts.map(({ name, value, tone }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd data-tone={tone}>{value}</dd>
          </div>
        ))}
      </dl>
      {warnings.length > 0 && (
        <Alert
          color="yellow"
          variant="light"
          radius={0}
          title="Before it starts"
          classNames={{ title: text["warning"] ?? "" }}
        >
          <List size="sm">
            {warnings.map((warning) => (
              <ListItem key={warning}>{warning}</ListItem>
            ))}
          </List>
        </Alert>
      )}
      {sample.length > 0 && <Sample sample={sample} nowMs={nowMs} />}
    </Panel>
  );
}

function Sample({ sample, nowMs }: { sample: ReplayPlan["sample"]; nowMs: number }) {
  return (
    <ScrollBox label="Some of the events">
      <table className={tables["table"]}>
        <caption>Some of the events, the oldest first</caption>
        <thead>
          <tr>
            <th scope="col">Some of the events</th>
            <th scope="col">Kind</th>
            <th scope="col">Account</th>
            <th scope="col">State</th>
            <th scope="col">Happened</th>
          </tr>
        </thead>
        <tbody>
          {sample.map(({ id, kind, accountId, state, occurredAt }) => (
            <tr key={id}>
              <td>
                <Link href={`/dashboard/events/${id}`} prefetch={false}>
                  {id}
                </Link>
              </td>
              <td>
                <KindBadge kind={kind} />
              </td>
              <td className={text["mono"]}>{accountId}</td>
              <td>{state}</td>
              <td data-numeric="start">{occurredAt === null ? "–" : <Timestamp iso={occurredAt} nowMs={nowMs} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

function counts(of: Record<string, number>): string {
  const all = Object.entries(of).map(([name, count]) => `${formatCount(count)} ${name}`);
  return all.length === 0 ? "–" : all.join(", ");
}
