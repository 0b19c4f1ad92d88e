"use client";

import { Button, Group, Loader } from "@mantine/core";
import { useState } from "react";

import type { Pause } from "#operations/pause.ts";

import { formatCount } from "../../format.ts";
import { Confirm } from "../confirm.tsx";
import { useRefusal } from "../holder.tsx";
import text from "../text.module.css";
import { useAct } from "../use-act.ts";
import { usePause } from "./use-pause.ts";

/** Up to so many batches are let in without a question. */
const unaskedMax = 20;

/**
 * Pauses and resumes ingestion, and says how many batches wait at QStash, which only QStash knows. `since`: since when it is
 * paused as far as the store knows; null if it is not.
 */
export function PauseControl({ since }: { since: string | null }) {
  const [known, setKnown] = usePause();
  const [asks, setAsks] = useState(false);
  const { act, pending, error } = useAct<Pause>();
  const pause = known === "unknown" ? null : known;
  const isPaused = pause?.paused ?? since !== null;
  const refusal = useRefusal() ?? (pause?.pausable === false && !isPaused ? notPausable : null);
  const isOff = pending || refusal !== null;

  const run = async () => {
    const changed = await act({ path: "/api/ops/pause", method: isPaused ? "DELETE" : "POST" });
    if (changed === null) return;
    setKnown(changed);
    setAsks(false);
  };
  const click = () => {
    if (isOff) return;
    if (isPaused && pause !== null && pause.waiting <= unaskedMax) void run();
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
        {error !== null && !asks ? error : describeWaiting(known)}
      </span>
      {refusal !== null && (
        <span id="pause-refusal" className={text["dimmed"]}>
          {refusal}
        </span>
      )}
      <Confirm
        title={`${label}?`}
        sentence={isPaused ? resumeSentence(pause) : pauseSentence}
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

const notPausable =
  "QStash pauses by a flow-control key, which batches have only with INGESTION_PARALLELISM: set it, 100 for example, and deploy.";

const pauseSentence =
  "Deliveries are still acknowledged, and their batches wait at QStash: nothing new is stored, and no handler of it runs, until ingestion is resumed. Handlers of stored events, retries and replays go on.";

function resumeSentence(pause: Pause | null): string {
  const waiting = pause === null ? "The batches that wait" : `${formatCount(pause.waiting)} batches that wait`;
  return `${waiting} at QStash are delivered as fast as INGESTION_PARALLELISM lets them, and their handlers run.`;
}

function describeWaiting(known: Pause | null | "unknown"): string {
  if (known === null) return "Asking QStash how many batches wait.";
  if (known === "unknown") return "Batches that wait at QStash: –. QStash does not answer.";
  const { waiting } = known;
  return `${waiting === 1 ? "1 batch waits" : `${formatCount(waiting)} batches wait`} at QStash.`;
}
