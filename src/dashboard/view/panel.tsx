import { Group, Paper, SimpleGrid } from "@mantine/core";
import type { ReactNode } from "react";

import styles from "./panel.module.css";

/** A titled section of a page. */
export function Panel({
  id,
  title,
  aside,
  children,
}: {
  id: string;
  title: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
}) {
  return (
    <Paper component="section" withBorder radius={10} className={styles["panel"]} aria-labelledby={id}>
      <Group justify="space-between" gap="8px 16px" className={styles["panelHead"]}>
        <h2 id={id} className={styles["panelTitle"]}>
          {title}
        </h2>
        {aside}
      </Group>
      {children}
    </Paper>
  );
}

/** Panels or charts beside each other, or below each other where there is no room. */
export function Pair({ children }: { children: ReactNode }) {
  return (
    <SimpleGrid minColWidth="calc(min(100%, 380px))" autoFlow="auto-fit" spacing={20}>
      {children}
    </SimpleGrid>
  );
}

/** A box in which a wide table scrolls, also by keyboard, instead of widening the page. */
export function ScrollBox({ label, children }: { label: string; children: ReactNode }) {
  return (
    // A region that scrolls must be reachable by keyboard. https://dequeuniversity.com/rules/axe/4.10/scrollable-region-focusable
    <div className={styles["scroll"]} role="region" aria-label={`${label}, table`} tabIndex={0}>
      {children}
    </div>
  );
}
