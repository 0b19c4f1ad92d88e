import { expect, test } from "vitest";

import { edgeBytesMax, measureEdgeSize } from "./edge-size.ts";

/** What it is compared with has to be built, so `.ci/run` alone asks for it. */
test.runIf(process.env["TEST_SIZES"] === "all")(
  "the webhook adds little to what Next's edge runtime weighs",
  async () => {
    const { webhookBytes, emptyBytes } = await measureEdgeSize(() => {});
    // A measurement that finds next to nothing is as wrong as a heavy function.
    expect(emptyBytes).toBeGreaterThan(50_000);
    expect(webhookBytes - emptyBytes).toBeGreaterThan(2_000);
    expect(webhookBytes - emptyBytes).toBeLessThanOrEqual(edgeBytesMax);
  },
  180_000,
);
