"use client";

import { Progress, VisuallyHidden } from "@mantine/core";
import { useDocumentVisibility } from "@mantine/hooks";
import { useRouter } from "next/navigation";
import { useEffect, useEffectEvent, useState } from "react";

import type { DescribedReplay } from "#operations/describe-replay.ts";

import { formatCount } from "../../format.ts";
import text from "../text.module.css";
import styles from "./replay-progress.module.css";
import { fetchInTime, pollLimitMs } from "../fetch-in-time.ts";

const everyMs = 2_000;

/** How far a replay is; follows one that runs until it ends, while the tab is visible. */
export function ReplayProgress({ replay: read }: { replay: DescribedReplay }) {
  const { replay, isSilent } = useReplay(read);
  const { count, batches, done, failed, skipped, pending } = replay;
  const total = count + batches;
  const share = (part: number) => (total === 0 ? 0 : Math.min(100, (part / total) * 100));
  const left = Math.max(0, total - done - failed - skipped - pending);
  const tried = done + failed + skipped;
  return (
    <div className={styles["progress"]}>
      <Progress.Root size="lg" aria-hidden>
        <Progress.Section value={share(done)} color="green" />
        <Progress.Section value={share(failed)} color="red" />
        <Progress.Section value={share(skipped)} color="gray.5" />
        <Progress.Section value={share(pending)} color="blue" striped />
      </Progress.Root>
      <dl className={styles["counts"]}>
        <Count name="Done" count={done} color="green" />
        <Count name="Failed" count={failed} color="red" />
        <Count name="Skipped" count={skipped} color="gray" />
        <Count name="Under way" count={pending} color="blue" />
        <Count name={replay.finishedAt === null ? "Left" : "Not begun"} count={left} />
      </dl>
      {isSilent && <p className={text["failure"]}>The server does not answer: the counts may be old.</p>}
      <VisuallyHidden
        role="progressbar"
        aria-label="Progress of the replay"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share(tried))}
        aria-valuetext={`${formatCount(tried)} of ${formatCount(total)} tried`}
      />
    </div>
  );
}

function Count({ name, count, color }: { name: string; count: number; color?: string }) {
  return (
    <div>
      <dt data-color={color}>{name}</dt>
      <dd>{formatCount(count)}</dd>
    </div>
  );
}

/** The replay as its own route shows it, asked every two seconds until it has ended; then the page is read again. */
function useReplay(read: DescribedReplay): { replay: DescribedReplay; isSilent: boolean } {
  const router = useRouter();
  const isVisible = useDocumentVisibility() !== "hidden";
  const [heard, setHeard] = useState<{ of: DescribedReplay; replay: DescribedReplay; isSilent: boolean }>({
    of: read,
    replay: read,
    isSilent: false,
  });
  // A page that was read again knows better.
  const current = heard.of === read ? heard : { of: read, replay: read, isSilent: false };
  const isUnderWay = hasNotEnded(read) && hasNotEnded(current.replay);

  const ask = useEffectEvent(async (signal: AbortSignal) => {
    const replay = await readReplay(read.id, signal);
    if (signal.aborted) return;
    setHeard({ of: read, replay: replay ?? current.replay, isSilent: replay === null });
    if (replay !== null && replay.state !== read.state) router.refresh();
  });
  useEffect(() => {
    if (!isUnderWay || !isVisible) return undefined;
    const leaving = new AbortController();
    const timer = setInterval(() => void ask(leaving.signal), everyMs);
    return () => {
      clearInterval(timer);
      leaving.abort();
    };
  }, [isUnderWay, isVisible]);
  return current;
}

function hasNotEnded({ state }: DescribedReplay): boolean {
  return state === "running" || state === "stalled";
}

async function readReplay(id: string, signal: AbortSignal): Promise<DescribedReplay | null> {
  try {
    const response = await fetchInTime(`/api/ops/replays/${id}`, { cache: "no-store", signal }, pollLimitMs);
    return response.ok ? ((await response.json()) as DescribedReplay) : null;
  } catch {
    return null;
  }
}
