"use client";

import { useRouter } from "next/navigation";
import { useState } from "react";

import type { DescribedReplay } from "#operations/describe-replay.ts";

import { useAct } from "../use-act.ts";
import { unaskedMax } from "./unasked-max.ts";
import { fetchInTime } from "../fetch-in-time.ts";

/** Plans and starts replays, and leads to the page of the one that was started. */
export interface StartingReplay {
  /** Plans one, and starts it at once if it needs no question. */
  plan: (request: Record<string, unknown>) => Promise<void>;
  /** Starts one that is planned, or asks first. */
  begin: (planned: DescribedReplay) => Promise<void>;
  /** What is asked about; null for nothing. */
  asked: DescribedReplay | null;
  confirm: () => Promise<void>;
  close: () => void;
  pending: boolean;
  error: string | null;
}

/** A plan of nothing is started neither. */
const emptyPlan = "Nothing is to be replayed: the events are handled, or no longer there.";

export function useStartReplay(): StartingReplay {
  const router = useRouter();
  const { act, pending, error } = useAct<DescribedReplay>();
  const [asked, setAsked] = useState<DescribedReplay | null>(null);
  const [isEmpty, setIsEmpty] = useState(false);

  const start = async (planned: DescribedReplay) => {
    const body = planned.mode === "again" ? { confirmCount: planned.count } : {};
    const started = await act({ path: `/api/ops/replays/${planned.id}/start`, body });
    // A second click, another operator, or an answer that was lost: it runs all the same.
    if (started !== null || (await hasStarted(planned.id))) router.push(`/dashboard/replays/${planned.id}`);
  };
  const begin = async (planned: DescribedReplay) => {
    if (planned.mode === "again" || planned.count + planned.batches > unaskedMax) setAsked(planned);
    else await start(planned);
  };
  const plan = async (request: Record<string, unknown>) => {
    const planned = await act({ path: "/api/ops/replays", body: request });
    if (planned === null) return;
    const isNothing = planned.count + planned.batches === 0;
    setIsEmpty(isNothing);
    if (!isNothing) await begin(planned);
  };
  return {
    plan,
    begin,
    asked,
    confirm: async () => {
      if (asked !== null) await start(asked);
    },
    close: () => setAsked(null),
    pending,
    error: error ?? (isEmpty ? emptyPlan : null),
  };
}

async function hasStarted(id: string): Promise<boolean> {
  try {
    const response = await fetchInTime(`/api/ops/replays/${id}`, { cache: "no-store" });
    if (!response.ok) return false;
    const { state } = (await response.json()) as DescribedReplay;
    return state === "running" || state === "finished";
  } catch {
    return false;
  }
}
