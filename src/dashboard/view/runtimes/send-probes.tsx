"use client";

import { Button, Group, Loader } from "@mantine/core";
import { useRouter } from "next/navigation";
import { useState, useTransition } from "react";

import text from "../text.module.css";
import { fetchInTime } from "../fetch-in-time.ts";

/** The button that has the relay send a few pairs of probes now, and what became of them. */
export function SendProbes() {
  const router = useRouter();
  const [sending, start] = useTransition();
  const [outcome, setOutcome] = useState("");

  const run = () => {
    if (sending) return;
    setOutcome("");
    start(async () => {
      const sentence = await sendProbes();
      // React needs a new transition after an await.
      start(() => {
        setOutcome(sentence);
        router.refresh();
      });
    });
  };
  return (
    <Group gap={10} px={20} pt={6} pb={20}>
      {/* Neither `disabled` nor Mantine's `loading`, which disables too: a disabled button loses the focus. */}
      <Button
        size="xs"
        variant="default"
        onClick={run}
        leftSection={sending && <Loader size={12} color="currentColor" aria-hidden />}
        data-disabled={sending}
        aria-disabled={sending || undefined}
      >
        Send probes now
      </Button>
      {/* Always there, because a screen reader announces only what changes in an element that it knows. */}
      <span role="status" className={text["dimmed"]}>
        {sending ? "Sending four pairs, up to 15 seconds." : outcome}
      </span>
    </Group>
  );
}

/** Resolves with a sentence about the pairs that were sent, or why none were. */
async function sendProbes(): Promise<string> {
  try {
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
    const response = await fetchInTime("/api/ops/probes/run", init);
    // A proxy in front of the server may answer with something other than JSON.
    const answer = (await response.json().catch(() => null)) as Answer | null;
    if (!response.ok || answer?.pairs === undefined)
      return answer?.error?.message ?? `The server answered ${response.status}`;
    const sent = `${answer.pairs.length} ${answer.pairs.length === 1 ? "pair was" : "pairs were"} sent`;
    return typeof answer.failure === "string" ? `${sent}, then it ended: ${answer.failure}.` : `${sent}.`;
  } catch {
    return "The server cannot be reached";
  }
}

interface Answer {
  pairs?: unknown[];
  failure?: string | null;
  error?: { message?: string };
}
