import { Alert, Code } from "@mantine/core";

import styles from "./notices.module.css";
import { ReadAgain } from "./read-again.tsx";
import text from "./text.module.css";

/**
 * Stands in the place of data that cannot be read. `retries` says whether the page reads again by itself.
 */
export function Unavailable({ reason, retries = true }: { reason: string; retries?: boolean | undefined }) {
  return (
    <Alert role="alert" color="red" variant="light" title="The dashboard cannot read the store">
      <p className={text["sentence"]}>
        {reason}. The webhook needs no store: deliveries are acknowledged, and QStash tries for hours to hand them on.
        Meanwhile nothing is stored, and no handler runs.
      </p>
      {retries && <ReadAgain />}
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
