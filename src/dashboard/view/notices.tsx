import { Alert, Code } from "@mantine/core";

import { formatCount } from "../format.ts";
import styles from "./notices.module.css";
import text from "./text.module.css";

/** Deliveries that were acknowledged and then lost: a person must act. */
export function LostBanner({ lost, window }: { lost: number; window: string }) {
  return (
    <Alert
      role="alert"
      color="red.9"
      variant="filled"
      title={`${formatCount(lost)} ${lost === 1 ? "delivery" : "deliveries"} lost`}
    >
      In {window}, the relay acknowledged them, but neither QStash nor the fallback kept their events. The log lines{" "}
      <code>forward.lost</code> name the deliveries and the keys of their events.
    </Alert>
  );
}

/** Deliveries that were not acknowledged, so that Meta sends them again. */
export function RefusedBanner({ refused, window }: { refused: number; window: string }) {
  return (
    <Alert
      role="alert"
      color="yellow"
      variant="light"
      classNames={{ title: text["warning"] ?? "" }}
      title={`${formatCount(refused)} ${refused === 1 ? "delivery" : "deliveries"} answered with 503`}
    >
      In {window}, neither QStash nor the fallback kept them in time. Meta sends them again, but after an hour of
      failures it may unsubscribe the account. <code>npm run relay -- doctor</code> finds the cause.
    </Alert>
  );
}

/** Stands in the place of data that cannot be read. `retries` says whether the page reads again by itself. */
export function Unavailable({ reason, retries = true }: { reason: string; retries?: boolean | undefined }) {
  return (
    <Alert role="alert" color="red" variant="light" title="The dashboard cannot read the store">
      {reason}.{retries && " This page tries again by itself."}
    </Alert>
  );
}

/** Stands in the place of rows if the address of the page asks for what there cannot be. */
export function BadAddress({ reason }: { reason: string }) {
  return (
    <Alert
      role="alert"
      color="yellow"
      variant="light"
      classNames={{ title: text["warning"] ?? "" }}
      title="The address is not right"
    >
      {reason}. Remove the condition, or correct it.
    </Alert>
  );
}

/** Explains how to send a first delivery. */
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
