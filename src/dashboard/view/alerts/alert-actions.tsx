"use client";

import { Button, Group, NativeSelect } from "@mantine/core";
import { useState } from "react";

import { useRefusal } from "../holder.tsx";
import text from "../text.module.css";
import { useAct } from "../use-act.ts";

const hourMs = 3_600_000;
const periods = [
  { value: String(hourMs), label: "1 hour" },
  { value: String(8 * hourMs), label: "8 hours" },
  { value: String(24 * hourMs), label: "1 day" },
  { value: String(7 * 24 * hourMs), label: "1 week" },
];

/** Props of `AlertActions`. */
export interface AlertActionsProps {
  rule: string;
  /** Empty for the whole rule. */
  scope: string;
  /** What it is called, for those who hear the buttons. */
  name: string;
  canAcknowledge: boolean;
  isMuted: boolean;
}

/** Acknowledges, mutes and unmutes a rule, or one scope of it. Nothing is asked first: each can be taken back or ends by itself. */
export function AlertActions({ rule, scope, name, canAcknowledge, isMuted }: AlertActionsProps) {
  const { act, pending, error, result } = useAct();
  const [periodMs, setPeriodMs] = useState(String(hourMs));
  const refusal = useRefusal();
  const isOff = pending || refusal !== null;
  const decide = (action: "acknowledge" | "mute" | "unmute") => {
    if (isOff) return;
    const until = action === "mute" ? { until: new Date(Date.now() + Number(periodMs)).toISOString() } : {};
    void act({ path: `/api/ops/alerts/${rule}/${action}`, body: { ...(scope === "" ? {} : { scope }), ...until } });
  };
  const button = (action: "acknowledge" | "mute" | "unmute", label: string) => (
    // Not `disabled`: a disabled button loses the focus.
    <Button
      size="xs"
      variant="default"
      onClick={() => decide(action)}
      data-disabled={isOff}
      aria-disabled={isOff || undefined}
      aria-label={`${label}: ${name}`}
      title={refusal ?? undefined}
    >
      {label}
    </Button>
  );
  return (
    <Group gap="8px 10px">
      {canAcknowledge && button("acknowledge", "Acknowledge")}
      {isMuted ? (
        button("unmute", "Unmute")
      ) : (
        <Group gap={6} wrap="nowrap">
          <NativeSelect
            size="xs"
            aria-label={`How long to mute: ${name}`}
            data={periods}
            value={periodMs}
            onChange={(event) => setPeriodMs(event.currentTarget.value)}
          />
          {button("mute", "Mute")}
        </Group>
      )}
      {/* Always there, because a screen reader announces only what changes in an element that it knows. */}
      <span role="status" className={error === null ? text["dimmed"] : text["failure"]}>
        {pending ? "Please wait." : (error ?? (result === null ? "" : "Done."))}
      </span>
    </Group>
  );
}
