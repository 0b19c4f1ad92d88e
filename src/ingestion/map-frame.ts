import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { fileURLToPath } from "node:url";

export interface Place {
  file: string;
  line: number;
  column: number;
}

/** Of the chunks that handlers stand in there are a few. */
const mapsMax = 20;
const maps = new Map<string, SourceMap | null>();

/**
 * Where a place in a built file comes from; the same place if there is no source map beside the file. Node could do this
 * itself, but only by reading every map as its module is loaded: 40 MB and a second of each start.
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
