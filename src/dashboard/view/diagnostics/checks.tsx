import type { CheckResult } from "../../diagnostics/check-result.ts";
import { formatMs } from "../../format.ts";
import badges from "../badges.module.css";
import { ScrollBox } from "../panel.tsx";
import tables from "../table.module.css";
import text from "../text.module.css";

/** Props of `Checks`. */
export interface ChecksProps {
  /** What the group is called: `Environment`. */
  title: string;
  checks: readonly CheckResult[];
}

/** The state by which `badges.module.css` colours each status. */
const states = { ok: "handled", warning: "retrying", failed: "dead", skipped: "open" } as const;
const order = ["failed", "warning", "skipped"];

/** The results of a group of checks: what needs the operator, each with its cause and remedy, and what is right on request. */
export function Checks({ title, checks }: ChecksProps) {
  const right = checks.filter(({ status }) => status === "ok");
  const others = checks
    .filter(({ status }) => status !== "ok")
    .toSorted((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
  return (
    <>
      {others.length > 0 && <CheckTable label={title} checks={others} />}
      {right.length > 0 && (
        <details className={text["apart"]}>
          <summary>{`${right.length} ${right.length === 1 ? "check is" : "checks are"} right`}</summary>
          <CheckTable label={`${title}, right`} checks={right} />
        </details>
      )}
    </>
  );
}

function CheckTable({ label, checks }: { label: string; checks: readonly CheckResult[] }) {
  return (
    <ScrollBox label={label}>
      <table className={tables["table"]}>
        <caption>{label}</caption>
        <thead>
          <tr>
            <th scope="col">Check</th>
            <th scope="col">Result</th>
            <th scope="col">Cause and remedy</th>
            <th scope="col" data-numeric>
              Took
            </th>
          </tr>
        </thead>
        <tbody>
          {checks.map(({ name, status, detail, durationMs, cause, remedy }) => (
            <tr key={`${name} ${detail}`}>
              <th scope="row" className={tables["wrapped"]}>
                {name}
              </th>
              <td className={tables["wrapped"]}>
                <span className={badges["state"]} data-state={states[status]}>
                  {status}
                </span>
                <span className={tables["meaning"]}>{detail}</span>
              </td>
              <td className={tables["sentence"]}>{cause === undefined ? "–" : `${cause} ${remedy ?? ""}`}</td>
              <td data-numeric>{formatMs(durationMs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}
