"use client";

import { Button, Stack } from "@mantine/core";

import type { TestResult } from "#operations/alerts/send-test.ts";

import { useRefusal } from "../holder.tsx";
import text from "../text.module.css";
import { useAct } from "../use-act.ts";

/** Sends a test to each receiver, and says what each of them answered. */
export function SendTest() {
  const { act, pending, error, result } = useAct<{ results: TestResult[] }>();
  const refusal = useRefusal();
  const isOff = pending || refusal !== null;
  return (
    <Stack gap={8} align="start">
      {/* Not `disabled`: a disabled button loses the focus. */}
      <Button
        size="xs"
        variant="default"
        onClick={() => {
          if (!isOff) void act({ path: "/api/ops/alerts/test" });
        }}
        data-disabled={isOff}
        aria-disabled={isOff || undefined}
        title={refusal ?? undefined}
        aria-description={refusal ?? undefined}
      >
        {pending ? "Sending" : "Send a test"}
      </Button>
      {/* Always there, because a screen reader announces only what changes in an element that it knows. */}
      <div role="status">
        {error !== null && <p className={text["failure"]}>{error}</p>}
        {!pending &&
          result?.results.map(({ address, isSent, result: answer }) => (
            <p key={address} className={isSent ? text["sentence"] : text["failure"]}>
              <span className={text["mono"]}>{address}</span>: {isSent ? "sent" : "not sent"}, {answer}
            </p>
          ))}
      </div>
    </Stack>
  );
}
