"use client";

import { Button, Group, Loader } from "@mantine/core";
import { useRouter } from "next/navigation";

import type { DescribedReplay } from "#operations/describe-replay.ts";

import { planAnewHref } from "../../repair/replay-address.ts";
import { useRefusal } from "../holder.tsx";
import text from "../text.module.css";
import { ConfirmReplay } from "./confirm-replay.tsx";
import { useStartReplay } from "./use-start-replay.ts";

/** Starts a replay that is planned, by whomever and however. */
export function StartPlanned({ replay }: { replay: DescribedReplay }) {
  const router = useRouter();
  const starting = useStartReplay();
  const refusal = useRefusal();
  const isOff = starting.pending || refusal !== null;
  const click = () => {
    if (!isOff) void starting.begin(replay);
  };
  return (
    <Group gap={12}>
      {/* Not `disabled`: a disabled button loses the focus. */}
      <Button
        size="xs"
        onClick={click}
        leftSection={starting.pending && <Loader size={12} color="currentColor" aria-hidden />}
        data-disabled={isOff}
        aria-disabled={isOff || undefined}
      >
        Start the replay
      </Button>
      {starting.asked === null && starting.error !== null && (
        <span role="alert" className={text["failure"]}>
          {starting.error}
        </span>
      )}
      <ConfirmReplay starting={starting} onPlanAnew={() => router.push(planAnewHref(replay))} />
    </Group>
  );
}
