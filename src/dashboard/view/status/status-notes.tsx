import Link from "next/link";
import { Fragment } from "react";

import type { FiringAlert } from "../../status/read-firing-alerts.ts";
import type { ItemName, Status, StatusItem } from "../../status/status.ts";
import { Panel } from "../panel.tsx";
import { Timestamp } from "../timestamp.tsx";
import styles from "./status.module.css";

/** Props of `StatusNotes`. */
export interface StatusNotesProps {
  status: Status;
  alerts: readonly FiringAlert[];
  nowMs: number;
}

/** What the counts mean now, what the last deployment changed, and which alerts fire, in words. */
export function StatusNotes({ status: { items, deployment }, alerts, nowMs }: StatusNotesProps) {
  // A pause has a banner of its own, with the button that ends it.
  const wrong = items.filter(({ name, state }) => state !== "ok" && name !== "pause");
  const said = items.filter(({ name, state }) => state === "ok" && saidWhileWell.has(name));
  return (
    <Panel id="notes" title="What to look at">
      <ul className={styles["notes"]}>
        {[...wrong, ...said].map((item) => (
          <Note key={item.name} item={item} />
        ))}
        <li data-state="ok">
          <span className={styles["name"]}>Last deployment</span>
          <span>{deployment === null ? "–: no deployment has measured anything yet." : deployment.sentence}</span>
        </li>
        <li data-state={alerts.some(({ isAcknowledged }) => !isAcknowledged) ? "attention" : "ok"}>
          <span className={styles["name"]}>Alerts</span>
          <span>{alerts.length === 0 ? "No alert fires." : <Firing alerts={alerts} nowMs={nowMs} />}</span>
        </li>
      </ul>
    </Panel>
  );
}

const saidWhileWell: ReadonlySet<ItemName> = new Set(["lost", "refused", "metaHour"]);
const alertsMax = 5;

function Firing({ alerts, nowMs }: Pick<StatusNotesProps, "alerts" | "nowMs">) {
  return (
    <>
      {alerts.slice(0, alertsMax).map(({ rule, title, scope, since, isAcknowledged }) => (
        <Fragment key={`${rule} ${scope}`}>
          {scope === "" ? title : `${title}: ${scope}`} since <Timestamp iso={since} nowMs={nowMs} />
          {isAcknowledged && ", acknowledged"}.{" "}
        </Fragment>
      ))}
      {alerts.length > alertsMax && `${alerts.length - alertsMax} more. `}
      <Link href="/dashboard/alerts" prefetch={false} aria-label="Show: Alerts">
        Show
      </Link>
    </>
  );
}

function Note({ item: { name, state, sentence, href } }: { item: StatusItem }) {
  return (
    <li data-state={state}>
      <span className={styles["name"]}>{names[name]}</span>
      <span>
        {sentence}
        {href !== null && (state !== "ok" || name === "refused") && (
          <>
            {" "}
            <Link href={href} prefetch={false} aria-label={`Show: ${names[name]}`}>
              Show
            </Link>
          </>
        )}
      </span>
    </li>
  );
}

const names: Record<ItemName, string> = {
  lost: "Lost",
  refused: "Refused",
  stuck: "Stuck",
  failing: "Failing",
  waiting: "Waiting",
  metaHour: "Meta’s hour",
  store: "Postgres",
  publish: "Queue",
  pause: "Pause",
  expiring: "Expiring",
  ack: "Acks",
  maintenance: "Maintenance",
  canary: "Canary",
  silence: "Silence",
  partitions: "Partitions",
  backfill: "Backfill",
};
