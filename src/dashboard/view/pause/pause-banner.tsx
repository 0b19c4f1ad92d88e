import { Alert, Stack } from "@mantine/core";

import { formatAgo } from "../../format.ts";
import type { QueueView } from "../../status/queue-view.ts";
import text from "../text.module.css";
import { Instant } from "../timestamp.tsx";
import { PauseControl } from "./pause-control.tsx";

/** Upstash documents no time for which a message may wait for a flow-control key; a dead letter is kept for three days. */
const longPauseMs = 24 * 3_600_000;

/** Props of `PauseBanner`. */
export interface PauseBannerProps {
  /** Null while ingestion is not paused. */
  since: string | null;
  queue: QueueView;
  nowMs: number;
}

/** Shown while ingestion is paused: what is acknowledged meanwhile is not stored, and a pause is easily forgotten. */
export function PauseBanner({ since, queue, nowMs }: PauseBannerProps) {
  if (since === null) return null;
  const isLong = nowMs - Date.parse(since) > longPauseMs;
  return (
    <Alert
      role="alert"
      color={isLong ? "red" : "yellow"}
      variant="light"
      classNames={{ title: text["warning"] ?? "" }}
      title={`Ingestion was paused ${formatAgo(since, nowMs)}`}
    >
      <Stack gap={8} align="start">
        <span>
          Since <Instant iso={since} /> deliveries are acknowledged and wait at {queue.title}: they are not stored.
          {isLong &&
            !queue.inStore &&
            ` ${queue.title} does not promise to keep a waiting message for longer than days: resume, or the oldest may be deleted.`}
        </span>
        <PauseControl since={since} queue={queue} />
      </Stack>
    </Alert>
  );
}
