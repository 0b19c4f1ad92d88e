import { Badge } from "@mantine/core";
import type { ReactNode } from "react";

import type { EventState } from "../events/event-filter.ts";
import styles from "./badges.module.css";

/** The kind of an event. */
export function KindBadge({ kind }: { kind: string }) {
  return (
    <Badge variant="default" size="sm" radius="sm" tt="none" fw={500} ff="monospace" className={styles["badge"]}>
      {kind}
    </Badge>
  );
}

const outcomeColors: Record<string, string> = {
  published: "green",
  fallback: "yellow",
  lost: "red",
  refused: "orange",
  backfill: "blue",
};

/** How a forward ended, null while it runs; or that there was none. */
export function OutcomeBadge({ outcome }: { outcome: string | null }) {
  return (
    <Badge
      variant="dot"
      color={outcomeColors[outcome ?? ""] ?? "gray.6"}
      size="lg"
      radius="sm"
      tt="none"
      fw={600}
      miw="max-content"
    >
      {outcome ?? "in flight"}
    </Badge>
  );
}

/** Props of `HandlingMark`. */
export interface HandlingMarkProps {
  state: EventState;
  /** Whether it may take several lines, outside of tables. */
  wraps?: boolean;
  children: ReactNode;
}

/** What becomes of an event, with the sign of its state. */
export function HandlingMark({ state, wraps = false, children }: HandlingMarkProps) {
  return (
    <span className={styles["state"]} data-state={state} data-wraps={wraps}>
      {children}
    </span>
  );
}
