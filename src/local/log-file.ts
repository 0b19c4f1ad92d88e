/** A log file of bounded size, whose new lines may also be shown on the terminal. */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";

import { type Clock, systemClock } from "#platform/clock.ts";

export interface LogFile {
  path: string;
  write(line: string): void;
  /** A descriptor for the output of a child process; the caller closes it once the child has it. */
  openForChild(): number;
  /** The last 20 lines since it was opened. */
  tail(): string;
  close(): void;
}

export interface LogFileOptions {
  /** Gets everything that is written from now on, without control characters: some of it is text that clients sent. */
  follow?: ((text: string) => void) | undefined;
  /** The size of the file, and of its predecessor, at most. */
  bytesMax?: number;
  clock?: Clock;
}

/** Three logs with their predecessors stay under 50 MB together. */
const bytesMaxDefault = 8_000_000;
const tailLines = 20;
const tailBytesMax = 64_000;
const tendMs = 100;
const copyBytes = 65_536;

/**
 * Opens the file to append. Once it is larger than `bytesMax`, its end becomes `<path>.1` and it starts empty. The end is
 * copied and the file truncated, not renamed: a child process keeps its descriptor, which is in append mode and so goes on
 * at the new start. The child needs no pipe through this process and can outlive it without losing a line.
 */
export function openLogFile(path: string, options: LogFileOptions = {}): LogFile {
  const { follow, bytesMax = bytesMaxDefault, clock = systemClock } = options;
  const file = openSync(path, "a+", 0o600);
  const size = () => fstatSync(file).size;
  let startAt = size();
  let shown = startAt;
  const show = () => {
    if (!follow) return;
    const text = read(file, shown, size());
    shown += text.length;
    if (text.length > 0) follow(text.toString().replace(/[^\P{Cc}\n\t]/gu, "\u{FFFD}"));
  };
  const tend = () => {
    show();
    if (size() <= bytesMax) return;
    moveEnd(file, `${path}.1`, bytesMax);
    startAt = 0;
    shown = 0;
  };
  tend();
  let cancel = () => {};
  const schedule = () => {
    cancel = clock.after(tendMs, () => {
      tend();
      schedule();
    });
  };
  schedule();
  return {
    path,
    write: (line) => void writeSync(file, `${line}\n`),
    openForChild: () => openSync(path, "a", 0o600),
    tail: () => {
      const end = size();
      const text = read(file, Math.max(startAt, end - tailBytesMax), end).toString();
      return text.trimEnd().split("\n").slice(-tailLines).join("\n");
    },
    close: () => {
      cancel();
      tend();
      closeSync(file);
    },
  };
}

function read(file: number, from: number, to: number): Buffer {
  const buffer = Buffer.alloc(Math.max(0, to - from));
  return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, from));
}

/** A line is lost only if another process writes between the last read and the truncation, a few microseconds. */
function moveEnd(file: number, target: string, bytesMax: number): void {
  const copy = openSync(target, "w", 0o600);
  try {
    let at = fstatSync(file).size - bytesMax;
    for (let piece = read(file, at, at + copyBytes); piece.length > 0; piece = read(file, at, at + copyBytes)) {
      writeSync(copy, piece);
      at += piece.length;
    }
    ftruncateSync(file, 0);
  } finally {
    closeSync(copy);
  }
}
