// The process's clock and log, on either runtime.
import { systemClock } from "#platform/clock.ts";
import { createLog } from "#platform/log.ts";
import { writeLine } from "#log-writer";

export const clock = systemClock;
export const log = createLog({ clock, write: writeLine, level: process.env["LOG_LEVEL"] });
