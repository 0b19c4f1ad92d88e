"use client";

import { useDocumentVisibility } from "@mantine/hooks";
import { useEffect, useEffectEvent, useState } from "react";

import type { PulseList } from "../../status/pulse-query.ts";
import type { Pulse } from "../../status/read-pulse.ts";
import { fetchInTime, pollLimitMs } from "../fetch-in-time.ts";

/** What is known of the server, and since when it is silent. */
export interface Heard {
  /** The last answer; null before the first. */
  pulse: Pulse | null;
  /** The mark with which that answer was asked for. */
  mark: string | undefined;
  /** Why there is no answer now; null while there is one. */
  silence: "unreachable" | "failing" | "signed-out" | null;
}

/** A list, and the newest row of it that the page shows. */
export interface Mark {
  list: PulseList | "status";
  mark: string | undefined;
}

/**
 * Asks `/api/ops/pulse` with this mark, at once and then in this interval, while the tab is visible. An interval of null
 * asks never. After a failure it asks on, so that the page becomes live again by itself.
 */
export function usePulse(of: Mark, everyMs: number | null): Heard {
  const isVisible = useDocumentVisibility() !== "hidden";
  const [heard, setHeard] = useState<Heard>({ pulse: null, mark: undefined, silence: null });

  const ask = useEffectEvent(async (signal: AbortSignal) => {
    const answer = await readPulse(of, signal);
    if (!signal.aborted)
      setHeard((before) => (answer.pulse === null ? { ...before, silence: answer.silence } : answer));
  });
  useEffect(() => {
    if (everyMs === null || !isVisible) return undefined;
    const leaving = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const askOn = async () => {
      await ask(leaving.signal);
      if (!leaving.signal.aborted) timer = setTimeout(() => void askOn(), everyMs);
    };
    void askOn();
    return () => {
      leaving.abort();
      clearTimeout(timer);
    };
  }, [everyMs, isVisible]);
  return heard;
}

/** The list whose rows after the mark are counted. */
export function markedList(list: Mark["list"]): PulseList {
  return list === "status" ? "deliveries" : list;
}

async function readPulse({ list, mark }: Mark, signal: AbortSignal): Promise<Heard> {
  const query = mark === undefined ? "" : `?${new URLSearchParams({ [markedList(list)]: mark })}`;
  const silent = (silence: Heard["silence"]) => ({ pulse: null, mark, silence });
  try {
    const response = await fetchInTime(`/api/ops/pulse${query}`, { cache: "no-store", signal }, pollLimitMs);
    if (response.ok) return { pulse: (await response.json()) as Pulse, mark, silence: null };
    return silent(response.status === 401 ? "signed-out" : "failing");
  } catch {
    return silent("unreachable");
  }
}
