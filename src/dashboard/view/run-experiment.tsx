"use client";

import { Button, Loader } from "@mantine/core";
import { useRouter } from "next/navigation";
import { useEffect, useRef, useState, useTransition } from "react";

import { Countdown } from "./countdown.tsx";
import styles from "./dashboard.module.css";

/** A point in time, and how far away it is by the server's clock. */
export interface Until {
  iso: string;
  leftMs: number;
}

export interface RunExperimentProps {
  /** What is shown; null before the first. */
  result: { id: string; conclusion: string; lookAgain: Until | null } | null;
  /** When the newest will be over, which need not be what is shown; null if it is. */
  underWay: Until | null;
}

/** Starts an experiment, leads to it and tells its outcome; what goes wrong is said beside the button. */
export function RunExperiment({ result, underWay }: RunExperimentProps) {
  const router = useRouter();
  const [starting, start] = useTransition();
  const [failure, setFailure] = useState("");
  const { button, heading, leadTo } = useFocusOnResult(result?.id);
  // Two at once would wake each other's instances.
  const blocked = !useIsOver(underWay);

  const run = () => {
    if (starting || blocked) return;
    setFailure("");
    start(async () => {
      const begun = await begin();
      // After an await it is a transition of its own, which lasts until the result is there.
      start(() => {
        if ("failure" in begun) return setFailure(begun.failure);
        leadTo(begun.id);
        router.push(`/dashboard/diagnostics?experiment=${begun.id}`);
      });
    });
  };
  const reason = blocked && !starting;
  return (
    <>
      <div className={styles["badges"]}>
        {/* Never disabled, nor Mantine's `loading`, which disables: either would drop the focus. */}
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
          <span id="under-way" className={styles["dimmed"]}>
            One is under way.
          </span>
        )}
        {failure !== "" && (
          <span role="alert" className={styles["warning"]}>
            {failure}
          </span>
        )}
      </div>
      <div className={styles["result"]}>
        {result !== null && (
          <h2 ref={heading} tabIndex={-1} className={styles["panelTitle"]}>
            Result
          </h2>
        )}
        <Outcome starting={starting} result={result} />
      </div>
    </>
  );
}

function Outcome({ starting, result }: { starting: boolean; result: RunExperimentProps["result"] }) {
  const lookAgain = starting ? null : (result?.lookAgain ?? null);
  const isTold = !starting && result !== null && lookAgain === null;
  return (
    <div className={starting || result !== null ? styles["verdict"] : undefined} data-told={isTold || undefined}>
      {/* There before its text, or it may go unsaid; without the countdown, or it would be said every second. */}
      <span role="status">{starting ? "Waiting for every answer, about four seconds." : result?.conclusion}</span>
      {lookAgain !== null && (
        <>
          {" "}
          Look again <Countdown key={lookAgain.iso} ms={lookAgain.leftMs} />.
        </>
      )}
    </div>
  );
}

/** Moves the focus to the heading once the result is shown that the button led to. */
function useFocusOnResult(shownId: string | undefined) {
  const button = useRef<HTMLButtonElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const awaitedId = useRef<string>(undefined);

  useEffect(() => {
    if (shownId === undefined || shownId !== awaitedId.current) return;
    awaitedId.current = undefined;
    // Whoever went elsewhere meanwhile stays there. A click on a button does not focus it in Safari.
    const { activeElement, body } = document;
    if (activeElement === button.current || activeElement === body) heading.current?.focus();
  }, [shownId]);

  const leadTo = (id: string) => {
    awaitedId.current = id;
  };
  return { button, heading, leadTo };
}

/** Turns true by itself when the time has come. */
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

async function begin(): Promise<{ id: string } | { failure: string }> {
  try {
    const response = await fetch("/api/diagnostics/lifecycle", { method: "POST" });
    // What stands in front of the server may answer with something else.
    const answer = (await response.json().catch(() => null)) as { id?: string; error?: { message?: string } } | null;
    if (response.ok && answer?.id !== undefined) return { id: answer.id };
    return { failure: answer?.error?.message ?? `The server answered ${response.status}` };
  } catch {
    return { failure: "The server cannot be reached" };
  }
}
