import Link from "next/link";

import { formatAgo, formatCount, formatMs } from "../../format.ts";
import { eventsHref } from "../../lists/list-hrefs.ts";
import type { HandlerSummary } from "../../handlers/read-handlers.ts";
import { KindBadge } from "../badges.tsx";
import { ScrollBox } from "../panel.tsx";
import tables from "../table.module.css";
import { CountLink } from "./count-link.tsx";
import text from "../text.module.css";

/** Props of `HandlerKinds`. */
export interface HandlerKindsProps {
  handlers: readonly HandlerSummary[];
  /** The window's ends. */
  from: string;
  to: string;
  nowMs: number;
}

/** The handlers of each kind of event; each figure leads to its events. */
export function HandlerKinds({ handlers, from, to, nowMs }: HandlerKindsProps) {
  if (handlers.length === 0) return <p className={text["nothing"]}>No handler was called in this window.</p>;
  return (
    <ScrollBox label="Calls by kind of event">
      <table className={tables["table"]}>
        <caption>Calls of handlers by kind of event, the most first</caption>
        <thead>
          <tr>
            <th scope="col">Kind</th>
            <th scope="col" data-numeric>
              Calls
            </th>
            <th scope="col" data-numeric>
              Failures
            </th>
            <th scope="col">By error</th>
            <th scope="col" data-numeric>
              Retries
            </th>
            <th scope="col" data-numeric>
              p50
            </th>
            <th scope="col" data-numeric>
              p95
            </th>
            <th scope="col">Open</th>
            <th scope="col">Oldest open</th>
          </tr>
        </thead>
        <tbody>
          {handlers.map((summary) => (
            <KindRow key={summary.kind} summary={summary} from={from} to={to} nowMs={nowMs} />
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

type KindRowProps = Omit<HandlerKindsProps, "handlers"> & { summary: HandlerSummary };

function KindRow({ summary, from, to, nowMs }: KindRowProps) {
  const { kind, runs, failed, failures, retries, handlerMs, open, oldestOpenAt, oldestOpenId } = summary;
  return (
    <tr>
      <th scope="row">
        <KindBadge kind={kind} />
      </th>
      <td data-numeric>
        <CountLink count={runs} href={eventsHref({ kind, from, to })} />
      </td>
      <td data-numeric data-tone={failed > 0 ? "bad" : undefined}>
        {formatCount(failed)}
      </td>
      <td className={tables["sentence"]}>
        {Object.keys(failures).length === 0 ? "–" : <Errors kind={kind} failures={failures} />}
      </td>
      <td data-numeric>
        <CountLink count={retries} href={eventsHref({ kind, state: "retrying" })} />
      </td>
      <td data-numeric>{formatMs(handlerMs?.p50)}</td>
      <td data-numeric>{formatMs(handlerMs?.p95)}</td>
      <td>
        {formatCount(open)}
        {open > 0 && (
          <>
            {": "}
            <Link href={eventsHref({ kind, state: "open" })} prefetch={false}>
              waiting
            </Link>
            {", "}
            <Link href={eventsHref({ kind, state: "retrying" })} prefetch={false}>
              retrying
            </Link>
          </>
        )}
      </td>
      <td>
        {oldestOpenAt === null || oldestOpenId === null ? (
          "–"
        ) : (
          <Link href={`/dashboard/events/${oldestOpenId}`} prefetch={false}>
            {formatAgo(oldestOpenAt, nowMs)}
          </Link>
        )}
      </td>
    </tr>
  );
}

function Errors({ kind, failures }: { kind: string; failures: HandlerSummary["failures"] }) {
  return Object.entries(failures)
    .toSorted(([, a], [, b]) => b - a)
    .map(([error, count], index) => (
      <span key={error}>
        {index > 0 && ", "}
        <Link href={eventsHref({ kind, error })} prefetch={false} className={text["mono"]}>
          {error}
        </Link>{" "}
        {formatCount(count)}
      </span>
    ));
}
