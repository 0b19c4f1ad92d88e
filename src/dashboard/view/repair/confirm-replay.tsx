"use client";

import { Button } from "@mantine/core";

import { consequences } from "../../repair/describe-run.ts";
import { Confirm } from "../confirm.tsx";
import type { StartingReplay } from "./use-start-replay.ts";

/** Props of `ConfirmReplay`. */
export interface ConfirmReplayProps {
  starting: StartingReplay;
  /** Plans the same anew, for a plan that has expired or whose set has grown. */
  onPlanAnew: () => void;
}

/** Asks before a replay starts: the consequences in a sentence, and for mode `again` the number of events. */
export function ConfirmReplay({ starting: { asked, confirm, close, pending, error }, onPlanAnew }: ConfirmReplayProps) {
  return (
    <Confirm
      opened={asked !== null}
      title="Start the replay?"
      sentence={
        <>
          {asked !== null && consequences(asked)}
          {error !== null && !pending && (
            <Button variant="default" size="compact-sm" ml={10} onClick={onPlanAnew}>
              Plan anew
            </Button>
          )}
        </>
      }
      typed={asked?.mode === "again" ? asked.count : undefined}
      action="Start the replay"
      pending={pending}
      error={error}
      onConfirm={() => void confirm()}
      onClose={close}
    />
  );
}
