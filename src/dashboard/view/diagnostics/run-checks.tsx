"use client";

import { Button, Group, Loader } from "@mantine/core";
import { useState } from "react";

import type { CheckedGroup } from "../../diagnostics/read-checked-groups.ts";
import { useRefusal } from "../holder.tsx";
import text from "../text.module.css";
import { askForChecks, type ChecksAnswer } from "./ask-for-checks.ts";
import { CheckGroup } from "./check-group.tsx";

/** Props of `RunChecks`. */
export interface RunChecksProps {
  /** The last results. */
  checked: readonly CheckedGroup[];
  /** The queue's name for people. */
  queue: string;
  nowMs: number;
}

/** Runs the checks of the doctor on this relay, one group after the other, and shows the last results until then. */
export function RunChecks({ checked, queue, nowMs }: RunChecksProps) {
  const groups = [
    { name: "env", title: "Environment" },
    { name: "queue", title: queue },
    { name: "network", title: "Network" },
  ];
  const refusal = useRefusal();
  const [fresh, setFresh] = useState<Record<string, ChecksAnswer>>({});
  const [running, setRunning] = useState<string | null>(null);
  const run = async () => {
    if (running !== null || refusal !== null) return;
    setFresh({});
    for (const { name, title } of groups) {
      setRunning(title);
      const answer = await askForChecks(name);
      setFresh((answers) => ({ ...answers, [name]: answer }));
    }
    setRunning(null);
  };
  const isOff = running !== null || refusal !== null;
  return (
    <>
      <Group gap={10}>
        {/* Neither `disabled` nor Mantine's `loading`, which disables too: a disabled button loses the focus. */}
        <Button
          size="sm"
          onClick={() => void run()}
          leftSection={running !== null && <Loader size={14} color="currentColor" aria-hidden />}
          data-disabled={isOff}
          aria-disabled={isOff}
          aria-describedby="checking"
        >
          Run all checks
        </Button>
        <span id="checking" role="status" className={text["dimmed"]}>
          {refusal ?? (running === null ? summarize(fresh) : `Checking: ${running} …`)}
        </span>
      </Group>
      {groups.map(({ name, title }) => (
        <CheckGroup
          key={name}
          {...{ name, title, nowMs }}
          answer={fresh[name]}
          kept={checked.find((group) => group.name === name)}
        />
      ))}
    </>
  );
}

function summarize(fresh: Record<string, ChecksAnswer>): string {
  const answers = Object.values(fresh);
  if (answers.length === 0) return "What it publishes to the queue only asks for the relay’s health, or is taken back.";
  const failed = answers.flatMap((answer) =>
    "failure" in answer
      ? ["failed"]
      : answer.checks.map(({ status }) => status).filter((status) => status === "failed"),
  ).length;
  return failed === 0 ? "No check failed." : `${failed} ${failed === 1 ? "check" : "checks"} failed.`;
}
