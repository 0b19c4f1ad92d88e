"use client";

import { useDocumentVisibility } from "@mantine/hooks";
import { useEffect, useEffectEvent, useState } from "react";

/** The lists whose changes `/api/ops/pulse` tells. */
export type PulseList = "events" | "deliveries" | "deadLetters" | "replays" | "alerts" | "audit";

/** What `/api/ops/pulse` answers. */
export interface Pulse {
  asOf: string;
  status: "ok" | "attention" | "failing";
  /** A version of each list; another version is another list. */
  changed: Record<PulseList, string>;
  /** Rows after the mark that the question gave for the list, at most 1,000; null where it gave none. */
  new: Partial<Record<PulseList, number | null>>;
}

/** What is known of the server, and since when it is silent. */
export interface Heard {
  /** The last answer; null before the first. */
  pulse: Pulse | null;
  /** Why there is no answer now; null while there is one. */
  silence: "unreachable" | "failing" | "signed-out" | null;
}

/**
 * Asks `/api/ops/pulse` with these marks, at once and then in this interval, while the tab is visible. An interval of null
 * asks never. After a failure it asks on, so that the page becomes live again by itself.
 */
export function usePulse(marks: Partial<Record<PulseList, string>>, everyMs: number | null): Heard {
  const isVisible = useDocumentVisibility() !== "hidden";
  const [heard, setHeard] = useState<Heard>({ pulse: null, silence: null });

  const ask = useEffectEvent(async (signal: AbortSignal) => {
    const answer = await readPulse(marks, signal);
    if (!signal.aborted) setHeard(({ pulse }) => ({ ...answer, pulse: answer.pulse ?? pulse }));
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

async function readPulse(marks: Partial<Record<PulseList, string>>, signal: AbortSignal): Promise<Heard> {
  try {
    const response = await fetch(`/api/ops/pulse?${new URLSearchParams(marks)}`, { cache: "no-store", signal });
    if (response.ok) return { pulse: (await response.json()) as Pulse, silence: null };
    return { pulse: null, silence: response.status === 401 ? "signed-out" : "failing" };
  } catch {
    return { pulse: null, silence: "unreachable" };
  }
}
