// The process's clock and log, on either runtime.
import { systemClock } from "#platform/clock.ts";
import { createLog, writeToConsole } from "#platform/log.ts";

export const clock = systemClock;
export const log = createLog({ clock, write: writeToConsole, level: process.env["LOG_LEVEL"] });
