"use client";

import { Button, Group, Loader } from "@mantine/core";
import { useRouter } from "next/navigation";
import { useState } from "react";

import { Confirm, type Confirmation } from "./confirm.tsx";
import { useRefusal } from "./holder.tsx";
import text from "./text.module.css";
import { type Act, useAct } from "./use-act.ts";

/** Props of `ActButton`; a server component can give all of them. */
export interface ActButtonProps {
  label: string;
  request: Act;
  /** What is asked first; without it the click acts. */
  confirm?: Confirmation;
  /** Said when it was done: "The group is acknowledged." */
  done?: string;
  /** The page to open when it was done; `{id}` stands for the id in the answer. */
  opens?: string;
  variant?: "default" | "filled" | "subtle";
  /** Whether a reader may do it, too: it is about what is the reader's own. */
  isForReaders?: boolean;
}

/** A button that changes something through `/api/ops`, asks before where that is due, and says what became of it. */
export function ActButton(props: ActButtonProps) {
  const { label, request, confirm, done = "Done.", opens, variant = "default", isForReaders = false } = props;
  const router = useRouter();
  const [asks, setAsks] = useState(false);
  const { act, pending, error, result } = useAct<{ id?: unknown }>();
  const ofRole = useRefusal();
  const refusal = isForReaders ? null : ofRole;
  const isOff = pending || refusal !== null;
  const run = async () => {
    const answer = await act(request);
    if (answer === null) return;
    setAsks(false);
    if (opens !== undefined) router.push(opens.replace("{id}", encodeURIComponent(String(answer.id))));
  };
  const click = () => {
    if (isOff) return;
    if (confirm === undefined) void run();
    else setAsks(true);
  };
  return (
    <Group gap={10}>
      {/* Neither `disabled` nor Mantine's `loading`, which disables too: a disabled button loses the focus. */}
      <Button
        size="xs"
        variant={variant}
        onClick={click}
        leftSection={pending && <Loader size={12} color="currentColor" aria-hidden />}
        data-disabled={isOff}
        aria-disabled={isOff || undefined}
        title={refusal ?? undefined}
        aria-description={refusal ?? undefined}
      >
        {label}
      </Button>
      {/* Always there, because a screen reader announces only what changes in an element that it knows. */}
      <span role="status" className={error === null ? text["dimmed"] : text["failure"]}>
        {asks ? "" : (error ?? (result === null || pending ? "" : done))}
      </span>
      {confirm !== undefined && (
        <Confirm
          {...confirm}
          opened={asks}
          action={label}
          pending={pending}
          error={error}
          onConfirm={() => void run()}
          onClose={() => setAsks(false)}
        />
      )}
    </Group>
  );
}
