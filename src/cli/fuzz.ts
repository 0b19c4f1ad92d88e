/**
 * `npm run fuzz`: the tests that generate hostile input, with many cases, others each time. FUZZ_CASES sets their number,
 * and FUZZ_SEED repeats those of an earlier run.
 */
import { randomInt } from "node:crypto";

import { run as runTests } from "./test.ts";

/** As `npm test`. */
export function run(args: string[]): void {
  process.env["FUZZ_CASES"] ||= "100000";
  process.env["FUZZ_SEED"] ||= String(randomInt(2 ** 31));
  console.log(`FUZZ_SEED=${process.env["FUZZ_SEED"]}`);
  runTests(["tests/instagram/hostile.test.ts", "tests/store/odd-values.test.ts", ...args]);
}
