"use client";

import { Button, Group, VisuallyHidden } from "@mantine/core";
import { useRouter } from "next/navigation";
import { useEffect, useEffectEvent, useState, useTransition } from "react";

import { formatCount } from "../../format.ts";
import type { PulseList } from "../../status/pulse-query.ts";
import type { Pulse } from "../../status/read-pulse.ts";
import badges from "../badges.module.css";
import { usePreferences } from "../preferences.tsx";
import { Timestamp } from "../timestamp.tsx";
import { isUntouched } from "./is-untouched.ts";
import { type Heard, markedList, usePulse } from "./use-pulse.ts";

/** Props of `Live`. */
export interface LiveProps {
  /** The list that the page shows; `status` for a page that any change concerns. */
  list: PulseList | "status";
  /**
   * The newest row of the list, as `/api/ops/pulse` takes it; absent for an empty list or one without a count. For `status`
   * the newest delivery: what arrives before the page's first question is noticed, too.
   */
  mark?: string | undefined;
  /** When the page was read. */
  nowMs: number;
  /** An older page of the list: what is new does not belong on it. */
  older?: boolean;
}

/**
 * Says as of when the page is true, and offers what is new. It reads the page again by itself only while the reader does
 * nothing with it: at its top, with nothing selected, open or focused.
 */
export function Live({ list, mark, nowMs, older = false }: LiveProps) {
  const router = useRouter();
  const [refreshing, start] = useTransition();
  const { liveSeconds } = usePreferences();
  const heard = usePulse({ list, mark }, older || liveSeconds === null ? null : liveSeconds * 1_000);
  const news = useNews(heard, { list, mark, nowMs });
  const refresh = () => start(() => router.refresh());

  const { pulse } = heard;
  const refreshUntouched = useEffectEvent((answered: Pulse | null) => {
    if (answered !== null && news !== null && !refreshing && isUntouched()) refresh();
  });
  // With each answer: the reader may have stopped doing something since the last one.
  useEffect(() => refreshUntouched(pulse), [pulse]);

  const readAt = new Date(nowMs).toISOString();
  const trueAt = news === null && pulse !== null && pulse.asOf > readAt ? pulse.asOf : readAt;
  const state = older ? "older" : heard.silence !== null ? "offline" : liveSeconds === null ? "paused" : "live";
  return (
    <Group gap={8} wrap="nowrap" className={badges["live"]}>
      <span className={badges["state"]} data-state={state}>
        <span>
          {words[heard.silence ?? state]} <Timestamp iso={trueAt} nowMs={nowMs} />
        </span>
      </span>
      {/* One button for both, so that it keeps the focus. */}
      <Button variant={news === null ? "default" : "filled"} size="compact-sm" onClick={refresh} aria-busy={refreshing}>
        {heard.silence === "signed-out" ? "Sign in again" : (news ?? "Refresh")}
      </Button>
      {/* Without the number, which would be read out with each answer. */}
      <VisuallyHidden role="status">
        {state === "offline" ? "The page is not live." : news === null ? "" : "There is something new."}
      </VisuallyHidden>
    </Group>
  );
}

const words = {
  live: "As of",
  paused: "Read at",
  older: "Older page, read at",
  offline: "Not live since",
  unreachable: "No connection: not live since",
  failing: "The server cannot answer: not live since",
  "signed-out": "Signed out: not live since",
};

/** What is new since the page was read, as the label of a button; null for nothing. */
function useNews({ pulse, mark: askedWith }: Heard, { list, mark, nowMs }: LiveProps): string | null {
  const [baseline, setBaseline] = useState<{ nowMs: number; version: string | null }>({ nowMs, version: null });
  const version = pulse === null ? null : versionOf(pulse, list);
  // The first answer after the page was read is what it shows; a page that is read again shows the answer that caused it.
  if (baseline.nowMs !== nowMs || (baseline.version === null && version !== null)) setBaseline({ nowMs, version });
  // An answer about the rows that the page showed before says nothing of those that it shows now.
  const count = (askedWith === mark ? pulse?.new[markedList(list)] : null) ?? 0;
  if (count > 0 && list === "status") return "Show changes";
  if (count > 0) return `${formatCount(count)}${count >= 1_000 ? "+" : ""} new`;
  return version !== null && baseline.version !== null && version !== baseline.version ? "Show changes" : null;
}

function versionOf(pulse: Pulse, list: LiveProps["list"]): string {
  return list === "status" ? `${pulse.status} ${Object.values(pulse.changed).join(" ")}` : pulse.changed[list];
}
