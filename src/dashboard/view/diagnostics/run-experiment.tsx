"use client";

import { Button, Group, Loader, Stack } from "@mantine/core";
import { useRouter } from "next/navigation";
import { useEffect, useRef, useState, useTransition } from "react";

import { Countdown } from "./countdown.tsx";
import panels from "../panel.module.css";
import text from "../text.module.css";
import { fetchInTime } from "../fetch-in-time.ts";

/** A point in time, and how many milliseconds ahead of the server's clock it is. */
export interface Until {
  iso: string;
  leftMs: number;
}

/** Props of `RunExperiment`. */
export interface RunExperimentProps {
  /** The experiment that is shown; null before the first one. */
  result: { id: string; conclusion: string; lookAgain: Until | null } | null;
  /** When the newest experiment ends, which need not be the one shown; null if it has ended. */
  underWay: Until | null;
}

/** The button that starts an experiment and opens its page; the conclusion of the one shown; errors beside the button. */
export function RunExperiment({ result, underWay }: RunExperimentProps) {
  const router = useRouter();
  const [starting, start] = useTransition();
  const [failure, setFailure] = useState("");
  const { button, heading, focusWhenShown } = useFocusOnResult(result?.id);
  // Two experiments at once would wake each other's instances.
  const blocked = !useIsOver(underWay);

  const run = () => {
    if (starting || blocked) return;
    setFailure("");
    start(async () => {
      const started = await startExperiment();
      // React needs a new transition after an await. It lasts until the result is shown.
      start(() => {
        if ("failure" in started) return setFailure(started.failure);
        focusWhenShown(started.id);
        router.push(`/dashboard/diagnostics?experiment=${started.id}`);
      });
    });
  };
  const reason = blocked && !starting;
  return (
    <>
      <Group gap={10}>
        {/* Neither `disabled` nor Mantine's `loading`, which disables too: a disabled button loses the focus. */}
        <Button
          ref={button}
          size="sm"
          onClick={run}
          leftSection={starting && <Loader size={14} color="currentColor" aria-hidden />}
          data-disabled={starting || blocked}
          aria-disabled={starting || blocked || undefined}
          aria-describedby={reason ? "under-way" : undefined}
        >
          Run the experiment
        </Button>
        {reason && (
          <span id="under-way" className={text["dimmed"]}>
            An experiment is under way.
          </span>
        )}
        {failure !== "" && (
          <span role="alert" className={text["warning"]}>
            {failure}
          </span>
        )}
      </Group>
      <Stack gap={10} align="start">
        {result !== null && (
          <h2 ref={heading} tabIndex={-1} className={panels["panelTitle"]}>
            Result
          </h2>
        )}
        <Outcome starting={starting} result={result} />
      </Stack>
    </>
  );
}

function Outcome({ starting, result }: { starting: boolean; result: RunExperimentProps["result"] }) {
  const lookAgain = starting ? null : (result?.lookAgain ?? null);
  return (
    <div>
      {/* A screen reader announces a change only of an element that was there before, so this is always rendered. The
          countdown is outside, or it would be announced every second. */}
      <span role="status">{starting ? "Waiting for all answers, about four seconds." : result?.conclusion}</span>
      {lookAgain !== null && (
        <>
          {" "}
          Look again <Countdown key={lookAgain.iso} ms={lookAgain.leftMs} />.
        </>
      )}
    </div>
  );
}

/** Moves the focus to the heading once the experiment that the button started is shown. */
function useFocusOnResult(shownId: string | undefined) {
  const button = useRef<HTMLButtonElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const awaitedId = useRef<string>(undefined);

  useEffect(() => {
    if (shownId === undefined || shownId !== awaitedId.current) return;
    awaitedId.current = undefined;
    // Only if the user has not moved the focus meanwhile. Safari does not focus a clicked button, hence `body`.
    const { activeElement, body } = document;
    if (activeElement === button.current || activeElement === body) heading.current?.focus();
  }, [shownId]);

  const focusWhenShown = (id: string) => {
    awaitedId.current = id;
  };
  return { button, heading, focusWhenShown };
}

/** Whether that time has passed; becomes true by itself. */
function useIsOver(until: Until | null): boolean {
  const [over, setOver] = useState<string | null>(null);
  const iso = until?.iso ?? null;
  const leftMs = until?.leftMs ?? 0;

  useEffect(() => {
    const timer = setTimeout(() => setOver(iso), leftMs);
    return () => clearTimeout(timer);
  }, [iso, leftMs]);

  return iso === null || over === iso;
}

async function startExperiment(): Promise<{ id: string } | { failure: string }> {
  try {
    const response = await fetchInTime("/api/diagnostics/lifecycle", { method: "POST" });
    // A proxy in front of the server may answer with something other than JSON.
    const answer = (await response.json().catch(() => null)) as { id?: string; error?: { message?: string } } | null;
    if (response.ok && answer?.id !== undefined) return { id: answer.id };
    return { failure: answer?.error?.message ?? `The server answered ${response.status}` };
  } catch {
    return { failure: "The server cannot be reached" };
  }
}
