import { Group } from "@mantine/core";
import Link from "next/link";

import type { DeadLetterItem } from "../../repair/read-dead-letters.ts";
import { Panel } from "../panel.tsx";
import text from "../text.module.css";
import { Timestamp } from "../timestamp.tsx";
import styles from "./group-error.module.css";

/** The error of the newest member with its frames, and where that member is. */
export function GroupError({ letter, nowMs }: { letter: DeadLetterItem; nowMs: number }) {
  const { errorName, errorCode, errorMessage, frames, status, attempts, deployment, recordedAt, eventId, deliveryId } =
    letter;
  return (
    <Panel id="error" title="Its newest error" aside={<Timestamp iso={recordedAt} nowMs={nowMs} />}>
      <div className={styles["error"]}>
        <p className={text["sentence"]}>
          <strong>{[errorName, errorCode].filter((part) => part !== null).join(" · ") || "–"}</strong>
          {errorMessage !== null && `: ${errorMessage}`}
        </p>
        <p className={text["sentence"]}>
          {attempts === null ? "" : `After ${attempts} ${attempts === 1 ? "attempt" : "attempts"}. `}
          {status === null ? "" : `The last answer was ${status}. `}
          {deployment === null ? "" : `Deployment ${deployment}.`}
        </p>
        {frames !== null && frames.length > 0 && (
          <ol className={styles["frames"]} aria-label="Frames of the error, the innermost first">
            {frames.map((frame) => (
              <li key={frame}>{frame}</li>
            ))}
          </ol>
        )}
        <Group gap={16}>
          {eventId !== null && (
            <Link href={`/dashboard/events/${eventId}`} prefetch={false}>
              Event {eventId}
            </Link>
          )}
          {deliveryId !== null && (
            <Link href={`/dashboard/deliveries/${encodeURIComponent(deliveryId)}`} prefetch={false}>
              Its delivery
            </Link>
          )}
        </Group>
      </div>
    </Panel>
  );
}
