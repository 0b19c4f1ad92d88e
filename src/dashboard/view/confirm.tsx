"use client";

import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { type FormEvent, type ReactNode, useState } from "react";

import { formatCount } from "../format.ts";
import text from "./text.module.css";

/** What is asked before something is changed, in proportion to what can go wrong. */
export interface Confirmation {
  /** A question: "Start the replay?" */
  title: string;
  /** What will happen, with its count: "512 events are handled again, 40 of them a second time." */
  sentence: ReactNode;
  /** The number that must be typed, for what cannot be taken back. Without it, one click confirms. */
  typed?: number | undefined;
}

/** Props of `Confirm`. */
export interface ConfirmProps extends Confirmation {
  opened: boolean;
  /** The label of the button that confirms: "Start". */
  action: string;
  pending?: boolean;
  /** Why it failed; the dialog stays open and says it. */
  error?: string | null;
  onConfirm: () => void;
  onClose: () => void;
}

/** A dialog that asks before something is changed. Escape closes it; the focus returns to what opened it. */
export function Confirm({ opened, title, onClose, ...rest }: ConfirmProps) {
  return (
    // Its lock for scrolling writes a style without a nonce, which the page's policy forbids.
    <Modal
      opened={opened}
      onClose={onClose}
      title={title}
      centered
      lockScroll={false}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {/* Made anew each time, so that a number typed before does not stand there. */}
      {opened && <Question {...rest} onClose={onClose} />}
    </Modal>
  );
}

type QuestionProps = Omit<ConfirmProps, "opened" | "title">;

function Question({ sentence, typed, action, pending = false, error = null, onConfirm, onClose }: QuestionProps) {
  const [given, setGiven] = useState("");
  const isRight = typed === undefined || given.replace(/[\s,]/g, "") === `${typed}`;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isRight && !pending) onConfirm();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <p className={text["sentence"]}>{sentence}</p>
        {typed !== undefined && (
          <TextInput
            label={`Type ${formatCount(typed)} to confirm`}
            inputMode="numeric"
            autoComplete="off"
            data-autofocus
            value={given}
            onChange={(event) => setGiven(event.currentTarget.value)}
          />
        )}
        {error !== null && (
          <p role="alert" className={text["failure"]}>
            {error}
          </p>
        )}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onClose}>
            Back
          </Button>
          {/* Not `disabled`: a disabled button loses the focus. */}
          <Button type="submit" aria-disabled={!isRight || pending || undefined} data-disabled={!isRight || pending}>
            {pending ? "Please wait" : action}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
