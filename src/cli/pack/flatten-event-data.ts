import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The module whose types are inferred from schemas. */
const eventDataFile = "instagram/data/event-data";

/**
 * A module from whose declarations `flattenEventData` makes the types of events' data. The project infers them from valibot's
 * schemas, and the package must not depend on valibot: the compiler writes the type of a constant in full.
 */
export function createInference(sourceFolder: string): string {
  const source = readFileSync(join(sourceFolder, `${eventDataFile}.ts`), "utf8");
  const imports = [...source.matchAll(/^import \{ (.*) \} from "\.\/(.*)";$/gm)].flatMap(([, names = "", file = ""]) =>
    names.split(", ").flatMap((name) => (name.endsWith("Schema") ? [{ name, file }] : [])),
  );
  return [
    'import type * as v from "valibot";',
    ...imports.map(({ name, file }) => `import { ${name} } from "#instagram/data/${file}";`),
    "declare function outputOf<T>(schema: v.GenericSchema<unknown, T>): T;",
    ...imports.map(({ name }) => `export const ${typeName(name)} = outputOf(${name});`),
    "",
  ].join("\n");
}

/** Declarations in place of those of event-data.ts: the same types without valibot. `emitted` is the compiler's folder of `src`. */
export function flattenEventData(emitted: string, inferred: string): string {
  const read = (name: string) => readFileSync(join(emitted, `${name}.d.ts`), "utf8");
  const item = statement(
    read("instagram/data/item"),
    /^\/\*\*(?:(?!\*\/)[\s\S])*\*\/\nexport type Item<[\s\S]*?^\}\);$/m,
  );
  const table = statement(
    read(eventDataFile),
    /^\/\*\*(?:(?!\*\/)[\s\S])*\*\/\nexport interface EventData [\s\S]*?^\}$/m,
  );
  const types = inferred
    .replaceAll(/^export declare const (\w+): /gm, "export type $1 = ")
    .replaceAll(/import\("#instagram\/data\/item\.ts"\)\./g, "");
  return ['import type { Json } from "../events.ts";', item, types.trim(), table, ""].join("\n");
}

function statement(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[0];
  if (found === undefined) throw new Error(`The declarations have nothing like ${pattern.source}`);
  return found;
}

/** `MessageData` of `messageDataSchema`. */
function typeName(schema: string): string {
  const name = schema.slice(0, -"Schema".length);
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}
