import Link from "next/link";

import { formatCount } from "../format.ts";
import type { DeadLetterItem } from "../read-dead-letters.ts";
import type { HandlerCount } from "../read-handler-counts.ts";
import styles from "./dashboard.module.css";
import { Panel, ScrollBox } from "./panel.tsx";
import { Timestamp } from "./timestamp.tsx";

/** The totals that handlers have counted. */
export function HandlerCountsPanel({ counts }: { counts: readonly HandlerCount[] }) {
  return (
    <Panel id="handlers" title="Handler counts">
      {counts.length === 0 ? (
        <p className={styles["nothing"]}>No handler has counted anything yet.</p>
      ) : (
        <table className={styles["table"]}>
          <caption>Totals that the handlers have counted since the first event</caption>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col" data-numeric>
                Count
              </th>
            </tr>
          </thead>
          <tbody>
            {counts.map(({ name, count }) => (
              <tr key={name}>
                <th scope="row" className={styles["mono"]}>
                  {name}
                </th>
                <td data-numeric>{formatCount(count)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

/** The newest dead letters. */
export function DeadLettersPanel({ deadLetters, nowMs }: { deadLetters: readonly DeadLetterItem[]; nowMs: number }) {
  return (
    <Panel id="dead-letters" title="Dead letters">
      {deadLetters.length === 0 ? (
        <p className={styles["nothing"]}>There are no dead letters.</p>
      ) : (
        <ScrollBox label="Dead letters">
          <table className={styles["table"]}>
            <caption>Dead letters, newest first; times in UTC</caption>
            <thead>
              <tr>
                <th scope="col">Recorded</th>
                <th scope="col">Delivery</th>
                <th scope="col" data-numeric>
                  Status
                </th>
                <th scope="col" data-numeric>
                  Retries
                </th>
              </tr>
            </thead>
            <tbody>
              {deadLetters.map((letter) => (
                <tr key={letter.id}>
                  <td data-numeric="start">
                    <Timestamp iso={letter.recordedAt} nowMs={nowMs} />
                  </td>
                  <td className={styles["mono"]}>
                    {letter.deliveryId === null ? (
                      "unknown"
                    ) : (
                      <Link href={`/dashboard/deliveries/${encodeURIComponent(letter.deliveryId)}`} prefetch={false}>
                        {letter.deliveryId.slice(0, 13)}…
                      </Link>
                    )}
                  </td>
                  <td data-numeric>{letter.status === 0 ? "no answer" : letter.status}</td>
                  <td data-numeric>{formatCount(letter.retried)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollBox>
      )}
    </Panel>
  );
}
