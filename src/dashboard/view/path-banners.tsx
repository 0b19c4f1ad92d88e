import { Alert } from "@mantine/core";

import { formatCount, formatTime } from "../format.ts";
import type { PathFaults } from "../read-path.ts";
import type { RefusalTotal } from "../read-refusals.ts";
import { explainReason } from "../refusal-reasons.ts";
import styles from "./text.module.css";

/** Faults that stop every delivery; they are shown before the first delivery too. */
export function PathFaultBanners({ configuration, redirectsTo, foreignStatus }: PathFaults) {
  return (
    <>
      {configuration !== null && (
        <Alert role="alert" color="red.9" variant="filled" title="The configuration is incomplete">
          {configuration}. Until this is corrected, deliveries are refused or do not arrive.
        </Alert>
      )}
      {redirectsTo !== null && (
        <Alert role="alert" color="red.9" variant="filled" title="RELAY_URL redirects">
          It redirects to {redirectsTo}. QStash does not follow redirects, so published batches do not arrive, and
          neither do the relay’s own reports. {redirectAdvice(redirectsTo)}
        </Alert>
      )}
      {foreignStatus !== null && (
        <Alert role="alert" color="red.9" variant="filled" title="Another program answers at RELAY_URL">
          It answers {foreignStatus} where the relay’s own route would answer 405, so published batches do not arrive,
          and neither do the relay’s own reports. Set RELAY_URL to the address of this relay and deploy again.
        </Alert>
      )}
    </>
  );
}

function redirectAdvice(leadsTo: string): string {
  return leadsTo.startsWith("https://vercel.com/sso-api")
    ? "This is Vercel’s Deployment Protection: turn on Protection Bypass for Automation and deploy again."
    : "Set RELAY_URL to that address and deploy again.";
}

/** Props of `RefusalsBanner`. */
export interface RefusalsBannerProps {
  totals: readonly RefusalTotal[];
  window: string;
  nowMs: number;
}

/** Which deliveries were refused, since when, and what the operator can do. */
export function RefusalsBanner({ totals, window, nowMs }: RefusalsBannerProps) {
  const reasons = [...new Set(totals.map(({ reason }) => reason))];
  const sum = (rows: readonly RefusalTotal[]) => rows.reduce((total, { count }) => total + count, 0);
  const all = sum(totals);
  return (
    <Alert
      role="alert"
      color="yellow"
      variant="light"
      classNames={{ title: styles["warning"] ?? "" }}
      title={`${formatCount(all)} ${all === 1 ? "delivery" : "deliveries"} refused in ${window}`}
    >
      <ul>
        {reasons.map((reason) => {
          const rows = totals.filter((row) => row.reason === reason);
          const since = rows.map((row) => row.since).toSorted()[0] ?? "";
          const { what, advice } = explainReason(reason);
          return (
            <li key={reason}>
              {formatCount(sum(rows))} since {formatTime(since, nowMs)} UTC: {what}. {advice}
            </li>
          );
        })}
      </ul>
    </Alert>
  );
}
