import { Badge } from "@mantine/core";

import type { EventState } from "../event-filter.ts";
import { runtimeLabel } from "../format.ts";
import styles from "./dashboard.module.css";

/** The runtime's name with its colour, which cards, charts and tables share. */
export function RuntimeMark({ runtime }: { runtime: string }) {
  return (
    <span className={styles["runtime"]} data-runtime={runtime}>
      {runtimeLabel(runtime)}
    </span>
  );
}

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
    <Badge variant="light" color={outcomeColors[outcome ?? ""] ?? "gray"} size="lg" radius="sm" tt="none" fw={600}>
      {outcome ?? "in flight"}
    </Badge>
  );
}

/** The state of an event, with the error for which it is retried or dead. */
export function StateMark({ state, handlerError }: { state: EventState; handlerError: string | null }) {
  return (
    <span className={styles["state"]} data-state={state}>
      {state}
      {handlerError !== null && `: ${handlerError}`}
    </span>
  );
}
