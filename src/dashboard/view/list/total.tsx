import { Suspense } from "react";

import type { Count } from "#store/connection/capped-count.ts";
import { formatCount } from "../../format.ts";
import text from "../text.module.css";

/** Props of `Total`. */
export interface TotalProps {
  /** The count on its way: the rows are shown before it. Null if it is unknown; see `orUnknown`. */
  count: Promise<Count | null>;
  /** What is counted, for one and for several. */
  nouns: readonly [one: string, several: string];
}

/** `1,234 events`, `10,000+ events`, or `– events` while it is not known or cannot be. It streams in after the rows. */
export function Total(props: TotalProps) {
  return (
    <Suspense fallback={<span className={text["dimmed"]}>– {props.nouns[1]}</span>}>
      <Counted {...props} />
    </Suspense>
  );
}

async function Counted({ count, nouns: [one, several] }: TotalProps) {
  const total = await count;
  if (total === null) return <span className={text["dimmed"]}>– {several}</span>;
  return (
    <span className={text["dimmed"]}>
      {formatCount(total.count)}
      {total.isCapped && "+"} {total.count === 1 ? one : several}
    </span>
  );
}
