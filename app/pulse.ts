import { createPulse } from "#dashboard/read-pulse.ts";
import { readStatus } from "#dashboard/status/read-status.ts";

import { clock } from "./log.ts";
import { getReads } from "./services.ts";
import { openStatus } from "./status.ts";

/** One for the process, so that all open pages share its answers. */
export const readPulse = createPulse({
  openReads: getReads,
  readStatus: async () => (await readStatus(getReads(), openStatus())).status,
  clock,
});
