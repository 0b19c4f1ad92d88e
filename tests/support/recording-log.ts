import { createLog, type Log } from "#platform/log.ts";

export interface RecordingLog {
  log: Log;
  lines: Record<string, unknown>[];
  /** The lines of one event. */
  of(event: string): Record<string, unknown>[];
}

/** The real log, written to an array. */
export function createRecordingLog(): RecordingLog {
  const lines: Record<string, unknown>[] = [];
  const write = (_level: string, line: string) => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  return {
    log: createLog({ clock: { nowMs: () => 1_700_000_000_000 }, level: "debug", write }),
    lines,
    of: (event) => lines.filter((line) => line["event"] === event),
  };
}
