"use client";

import { Button, Group, NativeSelect, Stack, TextInput } from "@mantine/core";
import { useRouter } from "next/navigation";
import { useState } from "react";

import type { DeadLetterGroup, DeadLetterGroupState } from "../../repair/read-dead-letter-groups.ts";
import { Refusal, useRefusal } from "../holder.tsx";
import filters from "../list/list-filters.module.css";
import text from "../text.module.css";
import { useAct } from "../use-act.ts";

const hourMs = 3_600_000;
const periods = [
  { value: String(hourMs), label: "one hour" },
  { value: String(24 * hourMs), label: "one day" },
  { value: String(7 * 24 * hourMs), label: "one week" },
  { value: String(30 * 24 * hourMs), label: "30 days" },
];

/**
 * What an operator may decide about a group. Nothing is asked first: no decision changes an event, and each can be taken back.
 * A decision that another operator has made meanwhile is not replaced.
 */
export function DecideGroup({ group }: { group: DeadLetterGroup }) {
  const { id, state, changedAt } = group;
  const router = useRouter();
  const { act, pending, error, result } = useAct<DeadLetterGroup>();
  const refusal = useRefusal();
  const [note, setNote] = useState("");
  const [deployment, setDeployment] = useState("");
  const [ignoredMs, setIgnoredMs] = useState(String(24 * hourMs));

  const decide = async (to: DeadLetterGroupState) => {
    if (pending || refusal !== null) return;
    const changed = await act({
      path: `/api/ops/dead-letters/${id}/state`,
      body: {
        state: to,
        seenChangedAt: changedAt,
        ...(note.trim() === "" ? {} : { note: note.trim() }),
        ...(to === "ignored" ? { until: new Date(Date.now() + Number(ignoredMs)).toISOString() } : {}),
        ...(to === "resolved" && deployment.trim() !== "" ? { deployment: deployment.trim() } : {}),
      },
    });
    if (changed !== null) setNote("");
    // Another operator may have decided: the page shows what.
    else router.refresh();
  };
  const button = (to: DeadLetterGroupState, label: string) => (
    // Not `disabled`: a disabled button loses the focus.
    <Button
      size="xs"
      variant="default"
      onClick={() => void decide(to)}
      data-disabled={pending || refusal !== null}
      aria-disabled={pending || refusal !== null || undefined}
    >
      {label}
    </Button>
  );
  return (
    <Stack gap={12} p="14px 20px 16px" className={filters["form"]}>
      <TextInput
        size="xs"
        label="Note (optional)"
        maxLength={1_000}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      <Group gap="10px 20px" align="end">
        {state !== "acknowledged" && button("acknowledged", "Acknowledge")}
        {state !== "resolved" && (
          <Group gap={8} align="end">
            <TextInput
              size="xs"
              label="Mended by deployment (optional)"
              maxLength={100}
              value={deployment}
              onChange={(event) => setDeployment(event.currentTarget.value)}
            />
            {button("resolved", "Resolve")}
          </Group>
        )}
        <Group gap={8} align="end">
          <NativeSelect
            size="xs"
            label="Ignore for"
            data={periods}
            value={ignoredMs}
            onChange={(event) => setIgnoredMs(event.currentTarget.value)}
          />
          {button("ignored", state === "ignored" ? "Ignore for so long from now" : "Ignore")}
        </Group>
        {state !== "open" && button("open", "Open again")}
      </Group>
      {/* Always there, because a screen reader announces only what changes in an element that it knows. */}
      <span role="status" className={error === null ? text["dimmed"] : text["failure"]}>
        {pending ? "Please wait." : (error ?? (result === null ? "" : `The group is ${result.state}.`))}
      </span>
      <Refusal />
    </Stack>
  );
}
