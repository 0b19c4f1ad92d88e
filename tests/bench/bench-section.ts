import type { Cell } from "#cli/table.ts";

export interface BenchOptions {
  /** null: as many as the section itself thinks right. */
  rounds: number | null;
  /** Only to see that it works. */
  isQuick: boolean;
  /** Rows in the store before it is measured. */
  rows: number | null;
  /** A git ref of the release to compare the whole product with. */
  before: string | null;
  /** Tells how far it has come. */
  note: (text: string) => void;
}

export interface BenchTable {
  title: string;
  head: string[];
  rows: Cell[][];
}

/** What a part of the bench found. */
export interface BenchResult {
  /** For `--json`. */
  figures: object;
  tables: BenchTable[];
  /** A sentence for each figure that is over its limit. */
  failures: string[];
}
