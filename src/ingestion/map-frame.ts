import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { fileURLToPath } from "node:url";

export interface Place {
  file: string;
  line: number;
  column: number;
}

/** A build has only a few files that hold handlers. */
const mapsMax = 20;
const maps = new Map<string, SourceMap | null>();

/**
 * The place in the source of a place in a built file; the same place if the file has no source map beside it. Node's own
 * support reads every map when its module is loaded, which costs 40 MB and a second of each start.
 */
export function mapFrame(place: Place): Place {
  if (!maps.has(place.file)) {
    if (maps.size >= mapsMax) maps.clear();
    maps.set(place.file, readMap(place.file));
  }
  const origin = maps.get(place.file)?.findOrigin(place.line, place.column);
  if (origin === undefined || !("fileName" in origin)) return place;
  return { file: origin.fileName, line: origin.lineNumber, column: origin.columnNumber };
}

function readMap(file: string): SourceMap | null {
  try {
    const path = file.startsWith("file:") ? fileURLToPath(file) : file;
    return new SourceMap(JSON.parse(readFileSync(`${path}.map`, "utf8")) as ConstructorParameters<typeof SourceMap>[0]);
  } catch {
    return null;
  }
}
