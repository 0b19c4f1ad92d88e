import { Badge } from "@mantine/core";

import { groupStateWords } from "../../repair/describe-group.ts";
import type { DeadLetterGroup } from "../../repair/read-dead-letter-groups.ts";
import styles from "../badges.module.css";

const colors = { open: "red", acknowledged: "yellow", ignored: "gray.6", resolved: "green" } as const;

/** The state of a group, with who or what made it. */
export function GroupState({ group }: { group: DeadLetterGroup }) {
  return (
    <Badge
      variant="dot"
      color={colors[group.state]}
      size="lg"
      radius="sm"
      tt="none"
      fw={500}
      className={styles["badge"]}
    >
      {groupStateWords(group)}
    </Badge>
  );
}
