"use client";

import { Button } from "@mantine/core";
import { useDocumentVisibility } from "@mantine/hooks";
import { usePathname, useRouter } from "next/navigation";
import { useEffect, useState, useTransition } from "react";

import styles from "./dashboard.module.css";

const everyMs = 5_000;

/** Where looking would change what is looked at: a request wakes the instance whose sleep is the experiment. */
const looksOnce = "/dashboard/diagnostics";

/** Reads the page's data anew every five seconds while someone can see it, until paused. */
export function AutoRefresh() {
  return usePathname() === looksOnce ? null : <Refresh />;
}

function Refresh() {
  const router = useRouter();
  const visibility = useDocumentVisibility();
  const [paused, setPaused] = useState(false);
  const [reachable, setReachable] = useState(true);
  const [refreshing, startRefresh] = useTransition();
  // A slow answer is waited for: the five seconds begin when it is there.
  const running = !paused && !refreshing && visibility === "visible";

  useEffect(() => {
    if (!running) return undefined;
    const leaving = new AbortController();
    const refresh = async () => {
      // A refresh that finds no server makes Next load the page anew, which ends in the browser's own error page.
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
    <div className={styles["refresh"]}>
      <span className={styles["refreshState"]} data-state={state} role="status">
        {state === "live" ? "Live" : state === "paused" ? "Paused" : "No connection"}
      </span>
      <Button variant="default" size="xs" onClick={() => setPaused(!paused)}>
        {paused ? "Resume" : "Pause"}
        <span className={styles["forReaders"]}> automatic refresh</span>
      </Button>
    </div>
  );
}
