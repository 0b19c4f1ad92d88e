"use client";

import { useEffect, useState } from "react";

import type { Pause } from "#operations/pause.ts";
import { fetchInTime, pollLimitMs } from "../fetch-in-time.ts";

/** What `/api/ops/pause` says; null until it has answered, and `unknown` if the queue or the relay does not. */
export function usePause(): [pause: Pause | null | "unknown", set: (pause: Pause) => void] {
  const [pause, setPause] = useState<Pause | null | "unknown">(null);
  useEffect(() => {
    const leaving = new AbortController();
    void readPause(leaving.signal).then((answer) => {
      if (!leaving.signal.aborted) setPause(answer);
    });
    return () => leaving.abort();
  }, []);
  return [pause, setPause];
}

async function readPause(signal: AbortSignal): Promise<Pause | "unknown"> {
  try {
    const response = await fetchInTime("/api/ops/pause", { cache: "no-store", signal }, pollLimitMs);
    return response.ok ? ((await response.json()) as Pause) : "unknown";
  } catch {
    return "unknown";
  }
}
