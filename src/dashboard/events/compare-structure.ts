/** How the structure of a value differs from another one's, by path; values are left out, for they differ in every event. */
export interface StructureDifference {
  /** Paths that only the value has, with the types there; `messaging[].message.text: string`. */
  added: string[];
  /** Paths that only the other one has. */
  removed: string[];
  /** Paths at which the types differ. */
  changed: { path: string; from: string; to: string }[];
}

/** More paths than these are not compared: a hostile payload may have as many as it has bytes. */
const pathsMax = 2_000;

/**
 * Compares the structures of two JSON values: which fields there are, and of which types. All items of an array count as one
 * place. A library such as jsondiffpatch compares values, and would show every id, time and text as a difference.
 */
export function compareStructure(value: unknown, good: unknown): StructureDifference {
  const here = typesByPath(value);
  const there = typesByPath(good);
  const list = (paths: Map<string, Set<string>>, path: string) => `${path}: ${show(paths.get(path))}`;
  return {
    added: outermost(here, there).map((path) => list(here, path)),
    removed: outermost(there, here).map((path) => list(there, path)),
    changed: [...here].flatMap(([path, types]) => {
      const from = show(there.get(path));
      const to = show(types);
      return from === "" || from === to ? [] : [{ path, from, to }];
    }),
  };
}

/** The paths of the first that the second has not, without what is inside of one of them. */
function outermost(paths: Map<string, Set<string>>, others: Map<string, Set<string>>): string[] {
  const own = [...paths.keys()].filter((path) => !others.has(path));
  return own.filter((path) => !own.some((outer) => path.startsWith(`${outer}.`) || path.startsWith(`${outer}[]`)));
}

function typesByPath(root: unknown): Map<string, Set<string>> {
  const types = new Map<string, Set<string>>();
  const visit = (value: unknown, path: string): void => {
    if (types.size >= pathsMax && !types.has(path)) return;
    types.set(path, (types.get(path) ?? new Set()).add(typeOf(value)));
    if (Array.isArray(value)) for (const item of value) visit(item, `${path}[]`);
    else if (typeof value === "object" && value !== null) {
      for (const [name, inner] of Object.entries(value)) visit(inner, path === "" ? name : `${path}.${name}`);
    }
  };
  visit(root, "");
  return types;
}

function typeOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}

function show(types: ReadonlySet<string> | undefined): string {
  return [...(types ?? [])].toSorted().join(" or ");
}
