/** `npm run fuzz`: the tests that generate hostile input, with many cases; FUZZ_CASES sets their number. */
import { run as runTests } from "./test.ts";

/** As `npm test`. */
export function run(args: string[]): void {
  process.env["FUZZ_CASES"] ||= "100000";
  runTests(["tests/instagram/hostile.test.ts", "tests/store/odd-values.test.ts", ...args]);
}
