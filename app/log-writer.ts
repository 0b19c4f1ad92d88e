import { writeToConsole } from "#platform/log.ts";
import { createStreamWriter } from "#platform/stream-writer.ts";

/**
 * Writes the log's lines on Node. On Vercel by the console, which its logs take a line's level from. Elsewhere by the streams
 * behind the console. See package.json's imports.
 */
export const writeLine = process.env["VERCEL"] === "1" ? writeToConsole : createStreamWriter(process);
