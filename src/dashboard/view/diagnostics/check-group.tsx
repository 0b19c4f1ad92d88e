import type { CheckedGroup } from "../../diagnostics/read-checked-groups.ts";
import { Panel } from "../panel.tsx";
import text from "../text.module.css";
import { Timestamp } from "../timestamp.tsx";
import type { ChecksAnswer } from "./ask-for-checks.ts";
import { Checks } from "./checks.tsx";

/** Props of `CheckGroup`. */
export interface CheckGroupProps {
  name: string;
  title: string;
  answer: ChecksAnswer | undefined;
  kept: CheckedGroup | undefined;
  nowMs: number;
}

/** A group of checks: what they found just now, or the last time. */
export function CheckGroup({ name, title, answer, kept, nowMs }: CheckGroupProps) {
  const shown = answer ?? kept;
  return (
    <Panel
      id={`checks-${name}`}
      title={title}
      aside={
        <span className={text["dimmed"]}>
          {answer !== undefined ? (
            "just now"
          ) : kept === undefined ? (
            "has not run yet"
          ) : (
            <>
              as of <Timestamp iso={kept.ranAt} nowMs={nowMs} />
            </>
          )}
        </span>
      }
    >
      {shown === undefined ? (
        <p className={text["nothing"]}>There is no result yet.</p>
      ) : "failure" in shown ? (
        <p role="alert" className={`${text["nothing"]} ${text["failure"]}`}>
          {shown.failure}
        </p>
      ) : (
        <Checks title={title} checks={shown.checks} />
      )}
    </Panel>
  );
}
