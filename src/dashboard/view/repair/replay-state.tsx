import { Badge } from "@mantine/core";

import type { DescribedReplay } from "#operations/describe-replay.ts";

import { isExpired, runStateWords } from "../../repair/describe-run.ts";
import styles from "../badges.module.css";

const colors = { planned: "gray.6", running: "blue", stalled: "orange", cancelled: "red", finished: "green" } as const;

/** The state of a replay. */
export function ReplayState({ replay, nowMs }: { replay: DescribedReplay; nowMs: number }) {
  const color = isExpired(replay, nowMs) ? "gray.6" : colors[replay.state];
  return (
    <Badge variant="dot" color={color} size="lg" radius="sm" tt="none" fw={500} className={styles["badge"]}>
      {runStateWords(replay, nowMs)}
    </Badge>
  );
}
