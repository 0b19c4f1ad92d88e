"use client";

import { Button, Group } from "@mantine/core";
import { useDocumentVisibility } from "@mantine/hooks";
import { useRouter } from "next/navigation";
import { useEffect, useEffectEvent, useTransition } from "react";

import text from "./text.module.css";
import { fetchInTime, pollLimitMs } from "./fetch-in-time.ts";

const everyMs = 10_000;

/** Reads a page again that could not be read: every ten seconds while the tab is visible, and at a click. */
export function ReadAgain() {
  const router = useRouter();
  const isVisible = useDocumentVisibility() !== "hidden";
  const [reading, start] = useTransition();
  const read = () => start(() => router.refresh());

  const readUnlessBusy = useEffectEvent(async (signal: AbortSignal) => {
    if (reading) return;
    // If a refresh finds no server, Next reloads the page, and the browser shows its own error page.
    const answers = await fetchInTime("/api/health", { cache: "no-store", signal }, pollLimitMs).then(
      () => true,
      () => false,
    );
    if (answers && !signal.aborted) read();
  });
  useEffect(() => {
    if (!isVisible) return undefined;
    const leaving = new AbortController();
    const timer = setInterval(() => void readUnlessBusy(leaving.signal), everyMs);
    return () => {
      clearInterval(timer);
      leaving.abort();
    };
  }, [isVisible]);
  return (
    <Group gap={10} mt={10}>
      <Button size="xs" variant="default" onClick={read} aria-busy={reading}>
        Try again
      </Button>
      <span className={text["dimmed"]}>This page tries again every ten seconds.</span>
    </Group>
  );
}
