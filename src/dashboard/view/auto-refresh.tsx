"use client";

import { Button, Group, VisuallyHidden } from "@mantine/core";
import { useDocumentVisibility } from "@mantine/hooks";
import { usePathname, useRouter } from "next/navigation";
import { useEffect, useState, useTransition } from "react";

import styles from "./badges.module.css";

const everyMs = 5_000;

/** Not refreshed: a request would wake the instance that the experiment needs asleep. */
const experimentPath = "/dashboard/diagnostics";

/** Refreshes the page's data every five seconds while the page is visible and not paused. */
export function AutoRefresh() {
  return usePathname() === experimentPath ? null : <Refresh />;
}

function Refresh() {
  const router = useRouter();
  const visibility = useDocumentVisibility();
  const [paused, setPaused] = useState(false);
  const [reachable, setReachable] = useState(true);
  const [refreshing, startRefresh] = useTransition();
  // The five seconds begin when the previous answer has arrived.
  const running = !paused && !refreshing && visibility === "visible";

  useEffect(() => {
    if (!running) return undefined;
    const leaving = new AbortController();
    const refresh = async () => {
      // If a refresh finds no server, Next reloads the page, and the browser shows its own error page.
      const answered = await fetch("/api/health", { cache: "no-store", signal: leaving.signal }).then(
        () => true,
        () => false,
      );
      if (leaving.signal.aborted) return;
      setReachable(answered);
      if (answered) startRefresh(() => router.refresh());
    };
    const timer = setInterval(() => void refresh(), everyMs);
    return () => {
      clearInterval(timer);
      leaving.abort();
    };
  }, [router, running]);

  const state = paused ? "paused" : reachable ? "live" : "offline";
  return (
    <Group gap={8} wrap="nowrap">
      <span className={styles["state"]} data-state={state} role="status">
        {state === "live" ? "Live" : state === "paused" ? "Paused" : "No connection"}
      </span>
      <Button variant="default" size="xs" onClick={() => setPaused(!paused)}>
        {paused ? "Resume" : "Pause"}
        <VisuallyHidden> automatic refresh</VisuallyHidden>
      </Button>
    </Group>
  );
}
