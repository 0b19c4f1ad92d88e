import type { Latency } from "#measurements/runtime-comparison.ts";
import type { Verdict, VerdictReason } from "#measurements/verdict-types.ts";

import type { Runtime } from "#platform/delivery.ts";

import { formatCount, formatMs } from "../../format.ts";
import { Panel } from "../panel.tsx";
import { RuntimeMark } from "../runtime-mark.tsx";
import text from "../text.module.css";
import { RatioInterval } from "./ratio-interval.tsx";
import { SendProbes } from "./send-probes.tsx";
import styles from "./verdict-panel.module.css";

/** Props of `VerdictPanel`. */
export interface VerdictPanelProps {
  verdict: Verdict;
  /** On cold starts, where the verdict is on warm ones; null without any. */
  cold: Verdict | null;
  /** The probes of each runtime, warm and cold. */
  probes: Record<Runtime, Latency | null>;
}

/** The answer to the page's question in words, then the figures that it rests on. */
export function VerdictPanel({ verdict, cold, probes }: VerdictPanelProps) {
  const { ratio, confidence95, typical, detectableRatio } = verdict;
  return (
    <Panel id="verdict" title="Is the edge faster?" aside={<span className={text["dimmed"]}>by pairs of probes</span>}>
      <div className={styles["verdict"]} data-faster={verdict.faster}>
        <div className={styles["words"]}>
          <p className={styles["answer"]}>{answerOf(verdict)}</p>
          <p className={styles["sentence"]}>{verdict.sentence}</p>
          {typical !== null && <p className={styles["second"]}>{typical.sentence}</p>}
          {cold !== null && (
            <p className={styles["second"]}>
              <strong>After a cold start:</strong> {answerOf(cold)}. {cold.sentence}
            </p>
          )}
        </div>
        {ratio !== null && confidence95 !== null && <RatioInterval ratio={ratio} interval={confidence95} />}
      </div>
      <dl className={styles["figures"]}>
        {Object.entries(probes).map(([runtime, latency]) => (
          <div key={runtime}>
            <dt>
              <RuntimeMark runtime={runtime} /> probe p95
            </dt>
            <dd>{formatMs(latency?.p95)}</dd>
          </div>
        ))}
        <div>
          <dt>Pairs judged</dt>
          <dd>{formatCount(verdict.pairs)}</dd>
        </div>
        <div>
          <dt>Smallest difference they show</dt>
          <dd>{detectableRatio === null ? "–" : `${((detectableRatio - 1) * 100).toFixed(0)} %`}</dd>
        </div>
      </dl>
      <SendProbes />
    </Panel>
  );
}

const undecided: Record<Exclude<VerdictReason, "decided">, string> = {
  "too-close": "No difference shown",
  "too-few": "Too few pairs to tell",
  changed: "Too few pairs since a change",
  "too-alike": "The pairs are too alike to tell",
  unanswered: "Too many probes without an answer",
  identical: "The times do not vary",
  "one-runtime": "Only one runtime answered",
  emulated: "Not known here: the edge is emulated",
  "no-edge": "There is no edge function",
  "no-pairs": "Not measured yet",
};

/** The verdict in a few words, in answer to "Is the edge faster?". */
export function answerOf({ faster, reason }: Pick<Verdict, "faster" | "reason">): string {
  if (faster === "edge") return "Yes, the edge is faster";
  if (faster === "nodejs") return "No, Node is faster";
  return reason === "decided" ? undecided["too-close"] : undecided[reason];
}
