import { Alert, Code } from "@mantine/core";

import { formatCount } from "../format.ts";
import styles from "./dashboard.module.css";

/** Deliveries that nobody took after the ack: the one thing in which a person must act. */
export function LostBanner({ lost, window }: { lost: number; window: string }) {
  return (
    <Alert
      role="alert"
      color="red.9"
      variant="filled"
      title={`${formatCount(lost)} ${lost === 1 ? "delivery" : "deliveries"} lost`}
    >
      In {window}, Meta had its answer, but neither QStash nor the fallback took the events. Look for{" "}
      <code>forward.lost</code> in the log for their delivery ids and keys.
    </Alert>
  );
}

/** Deliveries that Meta still has, as we did not acknowledge them. */
export function RefusedBanner({ refused, window }: { refused: number; window: string }) {
  return (
    <Alert
      role="alert"
      color="yellow"
      variant="light"
      classNames={{ title: styles["warning"] ?? "" }}
      title={`${formatCount(refused)} ${refused === 1 ? "delivery" : "deliveries"} answered with 503`}
    >
      In {window}, neither QStash nor the fallback took them in time. Meta sends them again, but after an hour of
      refusals it ends the account’s subscription. <code>npm run relay -- doctor</code> tells what is wrong.
    </Alert>
  );
}

/** Instead of data, when there is none to show. */
export function Unavailable({ reason, retries = true }: { reason: string; retries?: boolean }) {
  return (
    <Alert role="alert" color="red" variant="light" title="The dashboard cannot read the store">
      {reason}.{retries && " This page tries again by itself."}
    </Alert>
  );
}

export function EmptyState() {
  return (
    <section className={styles["empty"]} aria-labelledby="empty">
      <h2 id="empty">No deliveries yet</h2>
      <p>Send a signed delivery to this server and watch it arrive here:</p>
      <Code block className={styles["command"]}>
        npm run relay -- trigger message
      </Code>
    </section>
  );
}
