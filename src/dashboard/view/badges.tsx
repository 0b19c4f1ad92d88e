import { Badge } from "@mantine/core";

import type { EventState } from "../event-filter.ts";
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
};

/** How a forward ended; null while it runs. */
export function OutcomeBadge({ outcome }: { outcome: string | null }) {
  return (
    <Badge variant="dot" color={outcomeColors[outcome ?? ""] ?? "gray"} size="lg" radius="sm" tt="none" fw={600}>
      {outcome ?? "in flight"}
    </Badge>
  );
}

interface StateMarkProps {
  state: EventState;
  handlerError: string | null;
  erasedBecause: string | null;
}

/** The state of an event, with the error for which it is retried or dead, or the reason why it was erased. */
export function StateMark({ state, handlerError, erasedBecause }: StateMarkProps) {
  const reason = handlerError ?? erasedBecause;
  return (
    <span className={styles["state"]} data-state={state}>
      {state}
      {reason !== null && `: ${reason}`}
    </span>
  );
}
