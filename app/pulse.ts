import { createSharedReads } from "#dashboard/lists/share-reads.ts";
import { createPulse } from "#dashboard/status/read-pulse.ts";
import { readStatus } from "#dashboard/status/read-status.ts";
import type { Status } from "#dashboard/status/status.ts";

import { getReads } from "./database.ts";
import { clock } from "./log.ts";
import { openStatus } from "./status.ts";

/** The status changes by the minute, and costs more than the rest of the pulse. */
const statusSharedMs = 30_000;
const shareStatus = createSharedReads<Status>(statusSharedMs, clock);

/** One for the process, so that all open pages share its answers. */
export const readPulse = createPulse({
  openReads: getReads,
  readStatus: async () => {
    const { status } = await shareStatus("", () => readStatus(getReads(), { ...openStatus(), rollUp: async () => {} }));
    return status;
  },
  clock,
});
