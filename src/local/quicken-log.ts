import { lineStart } from "#platform/log.ts";

const streamOf = { debug: "stdout", info: "stdout", log: "stdout", warn: "stderr", error: "stderr" } as const;

type Methods = Record<keyof typeof streamOf, (...values: unknown[]) => void>;

/** A stream of a process, as Node has it. */
interface OutputStream {
  write(text: string): boolean;
  on(event: "error", listener: () => void): unknown;
}

export interface OutputStreams {
  stdout: OutputStream;
  stderr: OutputStream;
}

/**
 * Makes a console write the lines of the relay's log straight to its streams, those of edge routes too, which `next start`
 * writes by the same console. What the console does besides costs more than the write: Next wraps each of its methods
 * twice, and V8 keeps each call for a debugger. All else is written as before. The streams are the console's own, so lines keep
 * their order, wait for a slow reader and end with the process as before. With a reader that has gone away, or on a full disk,
 * lines are lost and the process goes on, also as before. A method that was wrapped before Next, as collectors of logs do it
 * that are loaded with `--import`, is left: its wrapper must see the lines.
 */
export function quickenLog(methods: Methods, streams: OutputStreams): void {
  // Without a listener the error of a broken pipe would end the process.
  for (const stream of [streams.stdout, streams.stderr]) stream.on("error", () => {});
  for (const name of Object.keys(streamOf) as (keyof Methods)[]) {
    // Node names its methods, and Next's wrappers keep the name of what they wrap.
    if (methods[name].name !== name) continue;
    const slow = methods[name].bind(methods);
    methods[name] = (...values) => {
      const [line] = values;
      if (values.length === 1 && isLogLine(line)) writeLine(streams[streamOf[name]], line);
      else slow(...values);
    };
  }
}

function isLogLine(value: unknown): value is string {
  return typeof value === "string" && value.startsWith(lineStart);
}

function writeLine(stream: OutputStream, line: string): void {
  try {
    stream.write(`${line}\n`);
  } catch {
    // Files are written at once, so their errors are thrown.
  }
}
