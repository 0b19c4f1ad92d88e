import type { ReactNode } from "react";

import styles from "./dashboard.module.css";

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
    <section className={styles["panel"]} aria-labelledby={id}>
      <div className={styles["panelHead"]}>
        <h2 id={id} className={styles["panelTitle"]}>
          {title}
        </h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** A box in which a wide table scrolls, also by keyboard, instead of widening the page. */
export function ScrollBox({ label, children }: { label: string; children: ReactNode }) {
  return (
    // A region that scrolls must be reachable by keyboard. https://dequeuniversity.com/rules/axe/4.10/scrollable-region-focusable
    <div className={styles["scroll"]} role="region" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}
