/** Where a server's lines go: a file, and with `--verbose` the terminal too. */
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";

export interface LogFile {
  path: string;
  write(line: string): void;
  /** A descriptor for a child's output; the caller closes its own copy. */
  openForChild(): number;
  /** The last lines since it was opened. */
  tail(): string;
  close(): void;
}

const keptBytesMax = 10_000_000;
const tailLines = 20;
const followMs = 100;

/** Appends; a file that has grown large becomes `<path>.1` first. `follow` gets everything that is written. */
export function openLogFile(path: string, follow?: (text: string) => void): LogFile {
  if (existsSync(path) && statSync(path).size > keptBytesMax) renameSync(path, `${path}.1`);
  const file = openSync(path, "a+", 0o600);
  const startAt = fstatSync(file).size;
  let shown = startAt;
  const show = () => {
    const buffer = Buffer.alloc(fstatSync(file).size - shown);
    shown += readSync(file, buffer, 0, buffer.length, shown);
    if (buffer.length > 0) follow?.(buffer.toString());
  };
  const timer = follow ? setInterval(show, followMs) : undefined;
  timer?.unref();
  return {
    path,
    write: (line) => void writeSync(file, `${line}\n`),
    openForChild: () => openSync(path, "a", 0o600),
    tail: () => readFileSync(path).subarray(startAt).toString().trimEnd().split("\n").slice(-tailLines).join("\n"),
    close: () => {
      if (timer) show();
      clearInterval(timer);
      closeSync(file);
    },
  };
}
