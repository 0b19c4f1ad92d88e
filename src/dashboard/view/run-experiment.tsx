"use client";

import { Button } from "@mantine/core";
import { useRouter } from "next/navigation";
import { useState, useTransition } from "react";

import styles from "./dashboard.module.css";

/** Starts an experiment and leads to it; what goes wrong is said beside the button. */
export function RunExperiment() {
  const router = useRouter();
  const [starting, start] = useTransition();
  const [failure, setFailure] = useState("");

  const run = () =>
    start(async () => {
      setFailure("");
      const begun = await begin();
      if ("id" in begun) router.push(`/dashboard/diagnostics?experiment=${begun.id}`);
      else setFailure(begun.failure);
    });
  return (
    <div className={styles["badges"]}>
      <Button size="sm" onClick={run} loading={starting}>
        Run the experiment
      </Button>
      <span role="status" className={styles["dimmed"]}>
        {starting && "Waiting for every answer, about four seconds."}
      </span>
      {failure !== "" && (
        <span role="alert" className={styles["warning"]}>
          {failure}
        </span>
      )}
    </div>
  );
}

async function begin(): Promise<{ id: string } | { failure: string }> {
  try {
    const response = await fetch("/api/diagnostics/lifecycle", { method: "POST" });
    const answer = (await response.json()) as { id?: string; error?: { message: string } };
    if (answer.id !== undefined) return { id: answer.id };
    return { failure: answer.error?.message ?? `The server answered ${response.status}` };
  } catch {
    return { failure: "The server cannot be reached" };
  }
}
