import { Alert, Badge, Group } from "@mantine/core";
import Link from "next/link";
import type { ReactNode } from "react";

import type { DescribedReplay } from "#operations/describe-replay.ts";

import { isExpired } from "../../repair/describe-run.ts";
import { newReplayHref, planAnewHref } from "../../repair/replay-address.ts";
import { ActButton } from "../act-button.tsx";
import figures from "../facts.module.css";
import { Refusal } from "../holder.tsx";
import { LinkButton } from "../link-button.tsx";
import { Live } from "../live/live.tsx";
import { PageHead } from "../page-head.tsx";
import { Panel } from "../panel.tsx";
import text from "../text.module.css";
import { Instant } from "../timestamp.tsx";
import { PlanFacts } from "./plan-facts.tsx";
import { ReplayProgress } from "./replay-progress.tsx";
import { ReplayState } from "./replay-state.tsx";
import { StartPlanned } from "./start-planned.tsx";

/** One replay: its plan, its progress, what can be done about it, and its result. */
export function Replay({ replay, nowMs }: { replay: DescribedReplay; nowMs: number }) {
  const { id, state, reason, filter, mode } = replay;
  return (
    <>
      <Group justify="space-between" align="end" gap="14px 24px">
        <PageHead title={reason} hint={`Replay ${id}`} />
        <Live list="replays" nowMs={nowMs} />
      </Group>
      <Group gap="8px 16px">
        <ReplayState replay={replay} nowMs={nowMs} />
        <Actions replay={replay} nowMs={nowMs} />
        <Link href="/dashboard/replays" prefetch={false}>
          All replays
        </Link>
      </Group>
      <Refusal />
      <Advice replay={replay} nowMs={nowMs} />
      {state !== "planned" && (
        <Panel id="progress" title="Progress" aside={<Results replay={replay} />}>
          <ReplayProgress replay={replay} />
        </Panel>
      )}
      <Panel id="facts" title="What was asked for">
        <Group gap={8} component="ul" p="14px 20px 0" m={0} aria-label="Conditions" className={text["list"]}>
          {conditionsOf(filter).map(([name, value]) => (
            <Badge key={name} component="li" variant="default" size="lg" radius="sm" tt="none" fw={500} maw="100%">
              {name} {value}
            </Badge>
          ))}
        </Group>
        <Facts replay={replay} mode={mode} />
      </Panel>
      <PlanFacts plan={replay} nowMs={nowMs} />
    </>
  );
}

function Actions({ replay, nowMs }: { replay: DescribedReplay; nowMs: number }) {
  const { id, state } = replay;
  const planAnew = (
    <LinkButton href={planAnewHref(replay)} variant="default">
      {state === "planned" ? "Plan anew" : "Plan the same again"}
    </LinkButton>
  );
  const cancel = (label: string, done: string) => (
    <ActButton label={label} request={{ path: `/api/ops/replays/${id}/cancel` }} done={done} />
  );
  switch (state) {
    case "planned":
      return isExpired(replay, nowMs) ? (
        planAnew
      ) : (
        <>
          <StartPlanned replay={replay} />
          {cancel("Discard the plan", "The plan is discarded.")}
        </>
      );
    case "running":
      return cancel("Cancel", "The replay is cancelled.");
    case "stalled":
      return (
        <>
          <ActButton
            label="Resume"
            variant="filled"
            request={{ path: `/api/ops/replays/${id}/start` }}
            done="It goes on."
          />
          {cancel("Cancel", "The replay is cancelled.")}
        </>
      );
    case "cancelled":
    case "finished":
      return planAnew;
  }
}

/** What the state means for the operator, where it is not plain. */
function Advice({ replay, nowMs }: { replay: DescribedReplay; nowMs: number }) {
  const { state, stoppedBecause, failed } = replay;
  if (isExpired(replay, nowMs))
    return <Notice title="The plan was not started in time">The set may be another one by now: plan it anew.</Notice>;
  if (state === "stalled") {
    return (
      <Notice title="Nothing has advanced it for two minutes">
        The message that leads to its next step was lost, or the queue does not deliver. Maintenance resumes it within
        five minutes, and the button at once; it goes on where it was.
      </Notice>
    );
  }
  if (state === "cancelled") {
    return (
      <Notice title={`Cancelled: ${stoppedBecause ?? "without a reason"}`}>
        What had not begun was taken back: it is as it was before.
        {failed > 0 && " Look at what failed before you plan it again."}
      </Notice>
    );
  }
  return null;
}

function Notice({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Alert color="yellow" variant="light" title={title} classNames={{ title: text["warning"] ?? "" }}>
      {children}
    </Alert>
  );
}

/** Links to the events that it ran, and to those of them that are not handled. */
function Results({ replay: { id, failed } }: { replay: DescribedReplay }) {
  const events = (state?: string) =>
    `/dashboard/events?${new URLSearchParams({ replay: id, ...(state === undefined ? {} : { state }) })}`;
  return (
    <Group gap={14}>
      <Link href={events()} prefetch={false}>
        Its events
      </Link>
      {failed > 0 && (
        <>
          <Link href={events("retrying")} prefetch={false}>
            Retried
          </Link>
          <Link href={events("dead")} prefetch={false}>
            Dead
          </Link>
          <Link href={newReplayHref({ filter: { replay: id }, reason: `what ${id} left behind` })} prefetch={false}>
            Replay what failed
          </Link>
        </>
      )}
    </Group>
  );
}

function Facts({ replay, mode }: { replay: DescribedReplay; mode: string }) {
  const { actor, createdAt, startedAt, finishedAt, ratePerMinute, expiresAt, state } = replay;
  const time = (iso: string | null) => (iso === null ? "–" : <Instant iso={iso} />);
  const facts: [name: string, value: ReactNode][] = [
    ["Takes", mode === "again" ? "handled events again, too" : "unfinished events only"],
    ["Planned by", actor],
    ["Planned", time(createdAt)],
    ["Started", time(startedAt)],
    ["Ended", time(finishedAt)],
    ["Pace", `${ratePerMinute} events a minute`],
    ...(state === "planned" ? ([["Start before", time(expiresAt)]] as [string, ReactNode][]) : []),
  ];
  return (
    <dl className={figures["facts"]}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function conditionsOf(filter: DescribedReplay["filter"]): [name: string, value: string][] {
  return Object.entries(filter).flatMap(([name, value]): [string, string][] => {
    if (value === undefined || value === null) return [];
    return [[name, Array.isArray(value) && value.length > 5 ? `${value.length} events` : String(value)]];
  });
}
