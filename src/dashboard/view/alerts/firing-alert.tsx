import { Group } from "@mantine/core";
import Link from "next/link";

import type { RuleStatus, ScopeStatus } from "#operations/alerts/read-alerts.ts";

import text from "../text.module.css";
import { Timestamp } from "../timestamp.tsx";
import { AlertActions } from "./alert-actions.tsx";
import { AlertStateBadge } from "./alert-state-badge.tsx";
import styles from "./alerts.module.css";
import { LastNotice } from "./last-notice.tsx";

/** Props of `FiringAlert`. */
export interface FiringAlertProps {
  rule: RuleStatus;
  scope: ScopeStatus & { href: string };
  nowMs: number;
}

/** One rule and scope that fires: what is wrong, since when, what to do, and what was sent. */
export function FiringAlert({ rule: { rule, title, severity, advice }, scope: firing, nowMs }: FiringAlertProps) {
  const { scope, state, since, href, acknowledgedBy, acknowledgedAt, mutedUntil, mutedBy, lastNotice } = firing;
  const name = scope === "" ? title : `${title}: ${scope}`;
  return (
    <article className={styles["firing"]} aria-label={name}>
      <Group gap="6px 12px">
        <AlertStateBadge state={state} isMuted={mutedUntil !== null} />
        <h3 className={styles["title"]}>
          <Link href={href} prefetch={false}>
            {name}
          </Link>
        </h3>
        <span className={text["dimmed"]}>
          {severity}
          {since !== null && (
            <>
              , since <Timestamp iso={since} nowMs={nowMs} />
            </>
          )}
        </span>
      </Group>
      <p className={text["sentence"]}>{firing.text}</p>
      <p className={`${text["sentence"]} ${text["dimmed"]}`}>{advice}</p>
      <p className={`${text["sentence"]} ${text["dimmed"]}`}>
        {acknowledgedAt !== null && (
          <>
            Acknowledged by {acknowledgedBy} at <Timestamp iso={acknowledgedAt} nowMs={nowMs} />.{" "}
          </>
        )}
        {mutedUntil !== null && (
          <>
            Muted by {mutedBy} until <Timestamp iso={mutedUntil} nowMs={nowMs} />.{" "}
          </>
        )}
        Last message: <LastNotice notice={lastNotice} nowMs={nowMs} />
      </p>
      <AlertActions
        rule={rule}
        scope={scope}
        name={name}
        canAcknowledge={state === "firing"}
        isMuted={mutedUntil !== null}
      />
    </article>
  );
}
