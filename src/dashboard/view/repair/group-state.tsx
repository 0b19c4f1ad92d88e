import { Badge } from "@mantine/core";

import { groupStateWords } from "../../repair/describe-group.ts";
import type { DeadLetterGroup } from "../../repair/read-dead-letter-groups.ts";
import styles from "../badges.module.css";

const colors = { open: "red", acknowledged: "yellow", ignored: "gray.6", resolved: "green" } as const;

/** Props of `GroupState`. */
export interface GroupStateProps {
  group: DeadLetterGroup;
  /** Whether it may take several lines, outside of tables. */
  wraps?: boolean;
}

/** The state of a group, with who or what made it. */
export function GroupState({ group, wraps = false }: GroupStateProps) {
  return (
    <Badge
      variant="dot"
      color={colors[group.state]}
      size="lg"
      radius="sm"
      tt="none"
      fw={500}
      className={styles[wraps ? "wrapping" : "badge"]}
    >
      {groupStateWords(group)}
    </Badge>
  );
}
