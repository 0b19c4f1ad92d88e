/** An edge runtime has no streams. */
export { writeToConsole as writeLine } from "#platform/log.ts";
