import { systemClock } from "#platform/clock.ts";
import { createLog, writeToConsole } from "#platform/log.ts";

/** The log of every route, on either runtime. */
export const log = createLog({ clock: systemClock, write: writeToConsole });
