import Link from "next/link";

import { formatMs } from "../format.ts";
import type { HandlerCall } from "../handlers/read-handler-calls.ts";
import tables from "./table.module.css";
import text from "./text.module.css";
import { ScrollBox } from "./panel.tsx";
import { Timestamp } from "./timestamp.tsx";

/** Props of `HandlerCalls`. */
export interface HandlerCallsProps {
  calls: readonly HandlerCall[];
  /** Whose calls they are, for the table's name: `event 12`. */
  of: string;
  nowMs: number;
}

/** Every recorded call of an event's handler: what caused it, how it ended and where it failed. */
export function HandlerCalls({ calls, of, nowMs }: HandlerCallsProps) {
  return (
    <ScrollBox label={`Calls of the handler of ${of}`}>
      <table className={tables["table"]}>
        <caption>Calls of the handler, the first one first</caption>
        <thead>
          <tr>
            <th scope="col">At</th>
            <th scope="col" data-numeric>
              Attempt
            </th>
            <th scope="col">Cause</th>
            <th scope="col">Result</th>
            <th scope="col" data-numeric>
              Took
            </th>
            <th scope="col">Frames</th>
            <th scope="col">Deployment</th>
          </tr>
        </thead>
        <tbody>
          {calls.map((call) => (
            <tr key={`${call.at} ${call.attempt}`}>
              <td data-numeric="start">
                <Timestamp iso={call.at} nowMs={nowMs} />
              </td>
              <td data-numeric>{call.attempt}</td>
              <td>
                <Cause {...call} />
              </td>
              <td className={tables["sentence"]} data-tone={call.error === null ? undefined : "bad"}>
                {call.error === null
                  ? "handled"
                  : [call.error, call.code, call.message].filter((part) => part !== null).join(" · ")}
              </td>
              <td data-numeric>{formatMs(call.ms)}</td>
              <td className={`${text["mono"]} ${tables["wrapped"]}`}>
                <Frames frames={call.frames} />
              </td>
              <td className={text["mono"]}>{call.deployment ?? "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

function Cause({ replay, attempt }: HandlerCall) {
  if (replay === null) return attempt === 1 ? "first" : "retry";
  return (
    <Link href={`/dashboard/replays/${encodeURIComponent(replay)}`} prefetch={false}>
      replay
    </Link>
  );
}

function Frames({ frames: [first, ...others] }: { frames: readonly string[] }) {
  if (first === undefined) return "–";
  if (others.length === 0) return first;
  return (
    <details>
      <summary>{first}</summary>
      <div className={tables["lines"]}>{others.join("\n")}</div>
    </details>
  );
}
