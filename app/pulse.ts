import { createPulse } from "#dashboard/read-pulse.ts";
import { readPulseStatus } from "#dashboard/read-pulse-status.ts";

import { clock } from "./log.ts";
import { getReads } from "./services.ts";

/** One for the process, so that all open pages share its answers. */
export const readPulse = createPulse({
  openReads: getReads,
  readStatus: () => readPulseStatus(getReads()),
  clock,
});
