"use client";

import { Alert, Button } from "@mantine/core";

import text from "./text.module.css";

/** Says that a page failed unexpectedly. `digest` is in the server's log, beside the cause, which a browser must not see. */
export function PageError({ digest, onRetry }: { digest: string | undefined; onRetry: () => void }) {
  return (
    <>
      <h1 className={text["pageTitle"]}>This page failed</h1>
      <Alert
        role="alert"
        color="red"
        variant="light"
        classNames={{ title: text["bad"] ?? "" }}
        title="A fault of the relay"
      >
        <p className={text["sentence"]}>
          Nothing is lost by it: deliveries are received and handled as before.
          {digest !== undefined && ` The server's log has the cause under the digest ${digest}.`}
        </p>
        <Button size="xs" variant="default" mt={10} onClick={onRetry}>
          Try again
        </Button>
      </Alert>
    </>
  );
}
