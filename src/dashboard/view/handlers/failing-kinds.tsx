import Link from "next/link";

import { formatAgo } from "../../format.ts";
import { eventsHref } from "../../lists/list-hrefs.ts";
import type { FailingKind } from "../../handlers/read-failing-kinds.ts";
import { KindBadge } from "../badges.tsx";
import { ScrollBox } from "../panel.tsx";
import tables from "../table.module.css";
import { CountLink } from "./count-link.tsx";
import text from "../text.module.css";
import { Timestamp } from "../timestamp.tsx";

/** What fails now: how many events, since when and since which deployment. */
export function FailingKinds({ failing, nowMs }: { failing: readonly FailingKind[]; nowMs: number }) {
  if (failing.length === 0) return <p className={text["nothing"]}>No event is retried or dead.</p>;
  return (
    <ScrollBox label="What fails now">
      <table className={tables["table"]}>
        <caption>Events that are retried or dead, by kind and error, the most first</caption>
        <thead>
          <tr>
            <th scope="col">Kind</th>
            <th scope="col">Error</th>
            <th scope="col" data-numeric>
              Events
            </th>
            <th scope="col" data-numeric>
              Dead
            </th>
            <th scope="col">Since</th>
            <th scope="col">Deployment</th>
            <th scope="col">Where</th>
            <th scope="col">First</th>
          </tr>
        </thead>
        <tbody>
          {failing.map(({ kind, error, code, events, dead, since, deployment, frame, firstEventId }) => (
            <tr key={`${kind} ${error} ${code}`}>
              <td>
                <KindBadge kind={kind} />
              </td>
              <th scope="row" className={`${text["mono"]} ${tables["sentence"]}`}>
                {[error, code].filter((part) => part !== null).join(" · ")}
              </th>
              <td data-numeric>
                <CountLink count={events} href={eventsHref({ kind, error })} />
              </td>
              <td data-numeric data-tone={dead > 0 ? "bad" : undefined}>
                <CountLink count={dead} href={eventsHref({ kind, error, state: "dead" })} />
              </td>
              <td>
                <Timestamp iso={since} nowMs={nowMs} />
                <span className={tables["meaning"]}>{formatAgo(since, nowMs)}</span>
              </td>
              <td className={text["mono"]}>{deployment ?? "–"}</td>
              <td className={text["mono"]}>{frame ?? "–"}</td>
              <td>
                <Link href={`/dashboard/events/${firstEventId}`} prefetch={false}>
                  Event {firstEventId}
                </Link>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}
