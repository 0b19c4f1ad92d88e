import { Badge } from "@mantine/core";

import type { AlertStateName } from "#operations/alerts/read-alerts.ts";

const colors: Record<AlertStateName, string> = {
  firing: "red",
  acknowledged: "yellow",
  pending: "yellow",
  unknown: "gray.6",
  ok: "green",
};

/** The state of a rule, and whether it is muted. */
export function AlertStateBadge({ state, isMuted }: { state: AlertStateName; isMuted: boolean }) {
  return (
    <Badge variant="dot" color={colors[state]} size="lg" radius="sm" tt="none" fw={500} miw="max-content">
      {state}
      {isMuted && ", muted"}
    </Badge>
  );
}
