import type { Reporter, TestModule } from "vitest/node";

/** Closes a run with one plain line that needs no knowledge of vitest to read. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(files: readonly TestModule[], unhandled: readonly unknown[]): void {
    // An error that no test caught fails the run, so it must not read as a success here.
    const count = { passed: 0, failed: unhandled.length, skipped: 0 };
    for (const file of files) {
      for (const test of file.children.allTests()) {
        const { state } = test.result();
        if (state !== "pending") count[state] += 1;
      }
      // A file that could not be loaded has no tests to count.
      if (!file.ok() && [...file.children.allTests("failed")].length === 0) count.failed += 1;
    }
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : "";
    process.stdout.write(`\n${count.passed} passed, ${count.failed} failed${skipped}\n`);
  }
}
