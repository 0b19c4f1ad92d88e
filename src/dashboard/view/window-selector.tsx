import Link from "next/link";

import { type WindowName, windowNames } from "#measurements/runtime-comparison.ts";

import styles from "./window-selector.module.css";

const labels: Record<WindowName, string> = {
  "15m": "the last 15 minutes",
  "1h": "the last hour",
  "24h": "the last 24 hours",
  "7d": "the last 7 days",
  "30d": "the last 30 days",
};

/** The window in words, for the middle of a sentence. */
export function windowLabel(name: WindowName): string {
  return labels[name];
}

/** Props of `WindowSelector`. */
export interface WindowSelectorProps {
  current: WindowName;
  /** The page's address for another window. */
  hrefOf: (name: WindowName) => string;
}

/** Links that select the time window. */
export function WindowSelector({ current, hrefOf }: WindowSelectorProps) {
  return (
    <nav aria-label="Time window" className={styles["windows"]}>
      {windowNames.map((name) => (
        <Link
          key={name}
          href={hrefOf(name)}
          prefetch={false}
          scroll={false}
          aria-label={`${name}, ${labels[name]}`}
          aria-current={name === current ? "true" : undefined}
        >
          {name}
        </Link>
      ))}
    </nav>
  );
}
