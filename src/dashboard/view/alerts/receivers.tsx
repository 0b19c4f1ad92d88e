import type { AlertsStatus } from "#operations/alerts/read-alerts.ts";

import { Panel } from "../panel.tsx";
import text from "../text.module.css";
import { Timestamp } from "../timestamp.tsx";
import styles from "./alerts.module.css";
import { SendTest } from "./send-test.tsx";

/** Where messages go, with a button that tries it. */
export function Receivers({ status: { addresses, evaluatedAt }, nowMs }: { status: AlertsStatus; nowMs: number }) {
  return (
    <Panel id="receivers" title="Receivers">
      <div className={styles["receivers"]}>
        {addresses.length === 0 ? (
          <p className={text["sentence"]}>
            <code>ALERT_WEBHOOK_URL</code> is not set: rules change their states, and nothing is sent.
          </p>
        ) : (
          <ul className={styles["addresses"]}>
            {addresses.map(({ label, form }) => (
              <li key={label}>
                <span className={text["mono"]}>{label}</span>, {form === "slack" ? "Slack" : "signed JSON"}
              </li>
            ))}
          </ul>
        )}
        <p className={`${text["sentence"]} ${text["dimmed"]}`}>
          Maintenance last judged the rules:{" "}
          {evaluatedAt === null ? "never" : <Timestamp iso={evaluatedAt} nowMs={nowMs} />}
        </p>
        {addresses.length > 0 && <SendTest />}
      </div>
    </Panel>
  );
}
