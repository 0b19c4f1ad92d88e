import { Alert, Code } from "@mantine/core";

import type { RelayError } from "#platform/errors.ts";

import styles from "./notices.module.css";
import { ReadAgain } from "./read-again.tsx";
import text from "./text.module.css";

/** Props of `Unavailable`. */
export interface UnavailableProps {
  error: RelayError;
  /** Whether the page reads again by itself. */
  retries?: boolean | undefined;
}

/** Stands in the place of data that cannot be read. */
export function Unavailable({ error: { code, message }, retries = true }: UnavailableProps) {
  const isStoreAway = code === "STORE_UNAVAILABLE";
  return (
    <Alert
      role="alert"
      color="red"
      variant="light"
      classNames={{ title: text["bad"] ?? "" }}
      title={isStoreAway ? "The dashboard cannot read the store" : "This cannot be shown now"}
    >
      <p className={text["sentence"]}>
        {message}.
        {isStoreAway &&
          " Unless the queue is in it too, deliveries are acknowledged meanwhile, and the queue tries for hours to hand them on. Nothing is stored, and no handler runs."}
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
