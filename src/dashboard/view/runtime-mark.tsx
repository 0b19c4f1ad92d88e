import { runtimeLabel } from "../format.ts";
import styles from "./runtime-mark.module.css";

/** The runtime's name with its colour, which cards, charts and tables share. */
export function RuntimeMark({ runtime }: { runtime: string }) {
  return (
    <span className={styles["runtime"]} data-runtime={runtime}>
      {runtimeLabel(runtime)}
    </span>
  );
}
