import { Group } from "@mantine/core";
import Link from "next/link";
import type { ReactNode } from "react";

import { groupCause, groupCount, groupName, isExpiring } from "../../repair/describe-group.ts";
import { formatIn } from "../../format.ts";
import type { ListAddress } from "../../lists/list-request.ts";
import type { DeadLetterGroup as GroupData } from "../../repair/read-dead-letter-groups.ts";
import type { DeadLetterPage } from "../../repair/read-dead-letters.ts";
import { newReplayHref } from "../../repair/replay-address.ts";
import figures from "../facts.module.css";
import { LinkButton } from "../link-button.tsx";
import { Pager } from "../list/pager.tsx";
import { Live } from "../live/live.tsx";
import { PageHead } from "../page-head.tsx";
import { Panel } from "../panel.tsx";
import text from "../text.module.css";
import { Instant } from "../timestamp.tsx";
import { DecideGroup } from "./decide-group.tsx";
import { GroupError } from "./group-error.tsx";
import { GroupState } from "./group-state.tsx";
import { MembersTable } from "./members-table.tsx";

/** Props of `DeadLetterGroup`. */
export interface DeadLetterGroupProps extends ListAddress {
  page: DeadLetterPage;
  older: boolean;
  zone: string;
  nowMs: number;
}

/** One group: what failed since when, its newest error, what can be done, and its members. */
export function DeadLetterGroup({ page, older, zone, nowMs, ...address }: DeadLetterGroupProps) {
  const { group, deadLetters, nextCursor } = page;
  const newest = older ? undefined : deadLetters[0];
  return (
    <>
      <Group justify="space-between" align="end" gap="14px 24px">
        <PageHead title={groupName(group)} hint={groupCause(group)} />
        <Live list="deadLetters" nowMs={nowMs} older={older} />
      </Group>
      <Group gap="8px 16px">
        <GroupState group={group} wraps />
        {group.open > 0 && (
          <LinkButton
            href={newReplayHref({ filter: { group: group.id }, reason: `group ${group.id}: ${groupName(group)}` })}
          >
            Replay what failed
          </LinkButton>
        )}
        {group.kind !== null && group.errorName !== null && (
          <Link href={eventsHref(group)} prefetch={false}>
            Dead events of this kind and error
          </Link>
        )}
        <Link href="/dashboard/dead-letters" prefetch={false}>
          All dead letters
        </Link>
      </Group>
      <Facts group={group} nowMs={nowMs} />
      {newest !== undefined && <GroupError letter={newest} nowMs={nowMs} />}
      <Panel id="decide" title="Decide">
        <DecideGroup group={group} />
      </Panel>
      <Panel id="members" title="Members">
        <MembersTable letters={deadLetters} nowMs={nowMs} />
        <Pager {...address} list="members" older={older} nextCursor={nextCursor} zone={zone} />
      </Panel>
    </>
  );
}

function eventsHref({ kind, errorName }: GroupData): string {
  return `/dashboard/events?${new URLSearchParams({ state: "dead", kind: kind ?? "", error: errorName ?? "" })}`;
}

type Fact = [name: string, value: ReactNode, tone?: "bad" | undefined];

function Facts({ group, nowMs }: { group: GroupData; nowMs: number }) {
  const { open, count, firstAt, lastAt, firstDeployment, lastDeployment, expiresAt } = group;
  const { note, changedAt, ignoredUntil, regressedAt } = group;
  const time = (iso: string | null) => (iso === null ? "–" : <Instant iso={iso} />);
  const facts: Fact[] = [
    ["Unresolved", groupCount(group, open), open > 0 ? "bad" : undefined],
    ["All", groupCount(group, count)],
    ["First", time(firstAt)],
    ["Last", time(lastAt)],
    ["Since deployment", firstDeployment ?? "–"],
    ["Last seen in deployment", lastDeployment ?? "–"],
    ...(expiresAt === null
      ? []
      : [
          [
            "QStash’s first copy ends",
            expiry(expiresAt, nowMs),
            isExpiring(group, nowMs) ? "bad" : undefined,
          ] satisfies Fact,
        ]),
    ...(regressedAt === null ? [] : [["Recurred", time(regressedAt), "bad"] satisfies Fact]),
    ...(ignoredUntil === null ? [] : [["Ignored until", time(ignoredUntil)] satisfies Fact]),
    ...(changedAt === null ? [] : [["Decided", time(changedAt)] satisfies Fact]),
    ...(note === null ? [] : [["Note", note] satisfies Fact]),
  ];
  return (
    <Panel id="facts" title="What is known">
      <dl className={figures["facts"]}>
        {facts.map(([name, value, tone]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd data-tone={tone} className={text["breakable"]}>
              {value}
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

function expiry(expiresAt: string, nowMs: number): ReactNode {
  return (
    <>
      <Instant iso={expiresAt} minute />, {Date.parse(expiresAt) <= nowMs ? "over" : formatIn(expiresAt, nowMs)}
    </>
  );
}
