import Link from "next/link";
import type { ReactNode } from "react";

import { formatCount, formatIn, formatMs } from "../format.ts";
import type { DeliveryAttempt } from "../deliveries/read-delivery-attempts.ts";
import type { QueueView } from "../status/queue-view.ts";
import tables from "./table.module.css";
import text from "./text.module.css";
import { Panel, ScrollBox } from "./panel.tsx";
import { Timestamp } from "./timestamp.tsx";

/** Props of `AttemptsPanel`. */
export interface AttemptsPanelProps {
  attempts: readonly DeliveryAttempt[];
  queue: QueueView;
  /** Whether the queue may have a batch of it that is not ingested. */
  isWaiting?: boolean;
  /** When the queue tries next; undefined if that is unknown, or if it has nothing more to deliver. */
  nextDeliveryAt?: string | undefined;
  nowMs: number;
  /** Whether the relay read it from Instagram's API, so that neither QStash nor the fallback brought it. */
  isBackfill: boolean;
  /** Links to further pages of the attempts. */
  children?: ReactNode;
}

/** Calls to ingest a delivery, and when the queue tries next. */
export function AttemptsPanel({ attempts, queue, nowMs, isBackfill, children, ...next }: AttemptsPanelProps) {
  return (
    <Panel id="attempts" title="Attempts to ingest it" aside={<NextTry queue={queue} nowMs={nowMs} {...next} />}>
      {attempts.length === 0 ? (
        <p className={text["nothing"]}>No attempt is recorded.</p>
      ) : (
        <ScrollBox label="Attempts to ingest it">
          <table className={tables["table"]}>
            <caption>Calls of the consumer, the first one first</caption>
            <thead>
              <tr>
                <th scope="col">At</th>
                <th scope="col" data-numeric>
                  Batch
                </th>
                <th scope="col" data-numeric>
                  Retry
                </th>
                <th scope="col">Answer</th>
                <th scope="col" data-numeric>
                  Took
                </th>
                <th scope="col">Events</th>
                <th scope="col">Queue message</th>
              </tr>
            </thead>
            <tbody>
              {attempts.map((attempt) => (
                <AttemptRow key={keyOf(attempt)} {...{ attempt, queue, nowMs, isBackfill }} />
              ))}
            </tbody>
          </table>
        </ScrollBox>
      )}
      {children}
    </Panel>
  );
}

function NextTry({
  queue: { title, attemptLog },
  isWaiting = false,
  nextDeliveryAt,
  nowMs,
}: Omit<AttemptsPanelProps, "attempts" | "isBackfill">) {
  if (nextDeliveryAt === undefined && (attemptLog || !isWaiting)) return null;
  const words =
    nextDeliveryAt === undefined
      ? `${title} does not say when it is tried again`
      : `${title} tries again ${formatIn(nextDeliveryAt, nowMs)}`;
  return <span className={text["dimmed"]}>{words}</span>;
}

function keyOf({ at, batch, retried, status, messageId }: DeliveryAttempt): string {
  return [at, batch, retried, status, messageId].join(" ");
}

interface AttemptRowProps extends Pick<AttemptsPanelProps, "queue" | "nowMs" | "isBackfill"> {
  attempt: DeliveryAttempt;
}

function AttemptRow({ attempt, queue, nowMs, isBackfill }: AttemptRowProps) {
  const { at, batch, retried, status, error, ms, handled, failed, messageId } = attempt;
  const otherWay = isBackfill ? "none: by a backfill" : "none: by the fallback";
  return (
    <tr>
      <td data-numeric="start">
        <Timestamp iso={at} nowMs={nowMs} />
      </td>
      <td data-numeric>{batch ?? "–"}</td>
      <td data-numeric>{retried ?? "–"}</td>
      <td data-tone={status >= 400 ? "bad" : undefined}>{error === null ? status : `${status} ${error}`}</td>
      <td data-numeric>{formatMs(ms)}</td>
      <td>{handled === null ? "–" : `${formatCount(handled)} handled, ${formatCount(failed ?? 0)} failed`}</td>
      <td className={text["mono"]}>
        {messageId ?? (status === 200 ? otherWay : "–")}
        {messageId !== null && queue.logHref !== null && (
          <>
            {" "}
            <Link
              href={queue.logHref}
              prefetch={false}
              target="_blank"
              rel="noreferrer"
              title={`Search its logs for ${messageId}`}
            >
              {queue.title}’s log
            </Link>
          </>
        )}
      </td>
    </tr>
  );
}
