import type { ReactNode } from "react";

import text from "../text.module.css";

/** Says what a list shows or a figure counts, for the reader who asks. */
export function CountsWhat({ children }: { children: ReactNode }) {
  return (
    <details className={text["explanation"]}>
      <summary>What it counts</summary>
      <div>{children}</div>
    </details>
  );
}
