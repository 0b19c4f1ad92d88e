"use client";

import { Button, Group, Loader } from "@mantine/core";
import { useState } from "react";

import type { Pause } from "#operations/pause.ts";

import { formatCount } from "../../format.ts";
import type { QueueView } from "../../status/queue-view.ts";
import { Confirm } from "../confirm.tsx";
import { useRefusal } from "../holder.tsx";
import text from "../text.module.css";
import { useAct } from "../use-act.ts";
import { usePause } from "./use-pause.ts";

/** Up to so many batches are let in without a question. */
const unaskedMax = 20;

/** Props of `PauseControl`. */
export interface PauseControlProps {
  /** Since when ingestion is paused as far as the store knows; null if it is not. */
  since: string | null;
  queue: Pick<QueueView, "title" | "noPause">;
}

/** Pauses and resumes ingestion; of a queue that cannot be paused it says what to do instead. */
export function PauseControl({ since, queue: { title, noPause } }: PauseControlProps) {
  if (noPause !== null) return <p className={text["sentence"]}>{noPause}.</p>;
  return <PauseButton since={since} queue={title} />;
}

/** The button, and how many batches wait at the queue, which only the queue knows. */
function PauseButton({ since, queue }: { since: string | null; queue: string }) {
  const [known, setKnown] = usePause();
  const [asks, setAsks] = useState(false);
  const { act, pending, error } = useAct<Pause>();
  const pause = known === "unknown" ? null : known;
  const isPaused = pause?.paused ?? since !== null;
  const refusal = useRefusal() ?? (pause?.obstacle && !isPaused ? `${pause.obstacle}.` : null);
  const isOff = pending || refusal !== null;

  const run = async () => {
    const changed = await act({ path: "/api/ops/pause", method: isPaused ? "DELETE" : "POST" });
    if (changed === null) return;
    setKnown(changed);
    setAsks(false);
  };
  const click = () => {
    if (isOff) return;
    if (isPaused && pause !== null && pause.waiting !== null && pause.waiting <= unaskedMax) void run();
    else setAsks(true);
  };
  const label = isPaused ? "Resume ingestion" : "Pause ingestion";
  return (
    <Group gap="8px 12px">
      {/* Not `disabled`: a disabled button loses the focus. */}
      <Button
        size="xs"
        variant={isPaused ? "filled" : "default"}
        onClick={click}
        leftSection={pending && <Loader size={12} color="currentColor" aria-hidden />}
        data-disabled={isOff}
        aria-disabled={isOff || undefined}
        aria-describedby={refusal === null ? undefined : "pause-refusal"}
      >
        {label}
      </Button>
      <span role="status" className={error === null || asks ? text["dimmed"] : text["failure"]}>
        {error !== null && !asks ? error : describeWaiting(known, queue)}
      </span>
      {refusal !== null && (
        <span id="pause-refusal" className={text["dimmed"]}>
          {refusal}
        </span>
      )}
      <Confirm
        title={`${label}?`}
        sentence={isPaused ? resumeSentence(pause, queue) : pauseSentence(queue)}
        action={label}
        opened={asks}
        pending={pending}
        error={error}
        onConfirm={() => void run()}
        onClose={() => setAsks(false)}
      />
    </Group>
  );
}

function pauseSentence(queue: string): string {
  return `Deliveries are still acknowledged, and their batches wait at ${queue}: nothing new is stored, and no handler of it runs, until ingestion is resumed. Handlers of stored events, retries and replays go on.`;
}

function resumeSentence(pause: Pause | null, queue: string): string {
  const count = pause?.waiting ?? null;
  const waiting = count === null ? "The batches that wait" : `${formatCount(count)} batches that wait`;
  return `${waiting} at ${queue} are delivered as fast as it is allowed to, and their handlers run.`;
}

function describeWaiting(known: Pause | null | "unknown", queue: string): string {
  if (known === null) return `Asking ${queue} how many batches wait.`;
  if (known === "unknown") return `Batches that wait at ${queue}: –. ${queue} does not answer.`;
  const { waiting } = known;
  if (waiting === null) return `${queue} does not say how many batches wait.`;
  return `${waiting === 1 ? "1 batch waits" : `${formatCount(waiting)} batches wait`} at ${queue}.`;
}
