import type { LogOptions } from "./log.ts";

/** The mark of a stream whose errors are ignored already: a build may give each route its own copy of this module. */
const isSafe = Symbol.for("instagram-webhook-relay.safe-stream");

/** A stream of a process, as Node has it. */
interface OutputStream {
  write(text: string): boolean;
  on(event: "error", listener: () => void): unknown;
  [isSafe]?: boolean;
}

export interface OutputStreams {
  stdout: OutputStream;
  stderr: OutputStream;
}

/**
 * Writes lines to the streams behind the console, `warn` and `error` to `stderr` as the console does. So they keep their
 * order among the console's own lines, wait for a slow reader in the same way, and end with the process in the same way.
 * What the console does besides costs more than the write: Next wraps each of its methods twice, and V8 keeps each call for
 * a debugger. Never throws: with a reader that has gone away, or on a full disk, lines are lost and the process goes on.
 */
export function createStreamWriter(streams: OutputStreams): LogOptions["write"] {
  for (const stream of [streams.stdout, streams.stderr]) ignoreErrors(stream);
  return (level, line) => {
    const stream = level === "info" || level === "debug" ? streams.stdout : streams.stderr;
    try {
      stream.write(`${line}\n`);
    } catch {
      // Files are written at once, so their errors are thrown.
    }
  };
}

/** Without a listener an error, such as that of a broken pipe, would end the process. */
function ignoreErrors(stream: OutputStream): void {
  if (stream[isSafe]) return;
  stream[isSafe] = true;
  stream.on("error", () => {});
}
