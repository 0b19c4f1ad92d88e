import Link from "next/link";

import type { RuleStatus } from "#operations/alerts/read-alerts.ts";

import { ScrollBox } from "../panel.tsx";
import tables from "../table.module.css";
import { Timestamp } from "../timestamp.tsx";
import { AlertActions } from "./alert-actions.tsx";
import { AlertStateBadge } from "./alert-state-badge.tsx";
import styles from "./alerts.module.css";
import { LastNotice } from "./last-notice.tsx";

const wrapped = `${tables["wrapped"]} ${styles["cell"]}`;

/** Every rule with its state; a message's link leads to its row. */
export function RulesTable({ rules, nowMs }: { rules: readonly RuleStatus[]; nowMs: number }) {
  return (
    <ScrollBox label="Rules">
      <table className={tables["table"]}>
        <caption>Every rule and its state; a dash means that there is none</caption>
        <thead>
          <tr>
            {["State", "Rule", "Now", "Fires when", "Last change", "Last message", "Mute"].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rules.map((rule) => (
            <Row key={rule.rule} rule={rule} nowMs={nowMs} />
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

function Row({ rule, nowMs }: { rule: RuleStatus; nowMs: number }) {
  const { rule: name, title, state, href, threshold, scopes, changedAt, mutedUntil, lastNotice } = rule;
  return (
    <tr id={name} className={styles["rule"]}>
      <td>
        <AlertStateBadge state={state} isMuted={mutedUntil !== null} />
      </td>
      <th scope="row">
        <Link href={href} prefetch={false}>
          {name}
        </Link>
      </th>
      <td className={wrapped}>{scopes.length > 1 ? `${rule.text} And ${scopes.length - 1} more.` : rule.text}</td>
      <td className={wrapped}>
        {title}: {threshold}
      </td>
      <td data-numeric="start">{changedAt === null ? "–" : <Timestamp iso={changedAt} nowMs={nowMs} />}</td>
      <td className={wrapped}>
        <LastNotice notice={lastNotice} nowMs={nowMs} />
      </td>
      <td>
        <AlertActions rule={name} scope="" name={title} canAcknowledge={false} isMuted={mutedUntil !== null} />
      </td>
    </tr>
  );
}
