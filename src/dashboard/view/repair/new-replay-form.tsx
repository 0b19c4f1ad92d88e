"use client";

import { Button, Group, Loader, Stack, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";

import type { NewReplay } from "../../repair/replay-address.ts";
import { Refusal, useRefusal } from "../holder.tsx";
import filters from "../list/list-filters.module.css";
import text from "../text.module.css";
import { ConfirmReplay } from "./confirm-replay.tsx";
import { useStartReplay } from "./use-start-replay.ts";

/** Takes the reason, and plans and starts what the page shows. */
export function NewReplayForm({ asked, label }: { asked: NewReplay; label: string }) {
  const [reason, setReason] = useState(asked.reason);
  const [lacksReason, setLacksReason] = useState(false);
  const refusal = useRefusal();
  const starting = useStartReplay();
  const { pending, error } = starting;
  const isOff = pending || refusal !== null;

  const run = () => {
    setLacksReason(reason.trim() === "");
    if (isOff || reason.trim() === "") return;
    void starting.plan({ ...asked, reason: reason.trim() });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    run();
  };
  return (
    <>
      <form onSubmit={submit} className={filters["form"]}>
        <Stack gap={12} p="14px 20px 16px" align="stretch">
          <TextInput
            size="sm"
            label="Reason, which is recorded, and which the handlers get"
            maxLength={300}
            withAsterisk
            value={reason}
            error={lacksReason && "Say why: the next operator reads it."}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          <Group gap={12}>
            {/* Not `disabled`: a disabled button loses the focus. */}
            <Button
              type="submit"
              size="sm"
              leftSection={pending && <Loader size={14} color="currentColor" aria-hidden />}
              data-disabled={isOff}
              aria-disabled={isOff || undefined}
            >
              {label}
            </Button>
            <span role="status" className={error === null ? text["dimmed"] : text["failure"]}>
              {starting.asked === null ? (error ?? "") : ""}
            </span>
          </Group>
          <Refusal />
        </Stack>
      </form>
      {/* Not within the form, whose submission its own would be, too: React's events rise through portals. */}
      <ConfirmReplay starting={starting} onPlanAnew={run} />
    </>
  );
}
