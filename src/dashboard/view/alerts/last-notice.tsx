import type { NoticeStatus } from "#operations/alerts/read-alerts.ts";

import { Timestamp } from "../timestamp.tsx";

/** When a message was last sent, and what each receiver made of it. */
export function LastNotice({ notice, nowMs }: { notice: NoticeStatus | null; nowMs: number }) {
  if (notice === null) return "–";
  const failed = notice.results.filter(({ state }) => state !== "sent");
  return (
    <>
      <Timestamp iso={notice.at} nowMs={nowMs} />,{" "}
      {failed.length === 0
        ? "sent"
        : failed.map(({ address, state, result }) => `${state} at ${address}: ${result ?? "not tried yet"}`).join("; ")}
    </>
  );
}
