/** Where a server's lines go: a file, and with `--verbose` the terminal too. */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";

import { type Clock, systemClock } from "#platform/clock.ts";

export interface LogFile {
  path: string;
  write(line: string): void;
  /** A descriptor for a child's output; the caller closes its own copy. */
  openForChild(): number;
  /** The last lines since it was opened. */
  tail(): string;
  close(): void;
}

export interface LogFileOptions {
  /** Gets everything that is written from now on, without control characters: some of it is a stranger's. */
  follow?: ((text: string) => void) | undefined;
  /** Of the file and of the one before it. */
  bytesMax?: number;
  clock?: Clock;
}

/** Three logs, each with its predecessor: under 50 MB in all. */
const bytesMaxDefault = 8_000_000;
const tailLines = 20;
const tailBytesMax = 64_000;
const tendMs = 100;
const partBytes = 65_536;

/**
 * Appends. Once the file is larger than `bytesMax`, its end becomes `<path>.1` and it starts empty. It is copied and
 * truncated, not renamed: the child that writes keeps its descriptor (in append mode, so that it writes on at the start),
 * needs no pipe through us, and so outlives us with all its lines.
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

/** Between the last read and the cut nothing but another process's write can come: a few microseconds. */
function moveEnd(file: number, target: string, bytesMax: number): void {
  const copy = openSync(target, "w", 0o600);
  try {
    let at = fstatSync(file).size - bytesMax;
    for (let part = read(file, at, at + partBytes); part.length > 0; part = read(file, at, at + partBytes)) {
      writeSync(copy, part);
      at += part.length;
    }
    ftruncateSync(file, 0);
  } finally {
    closeSync(copy);
  }
}
