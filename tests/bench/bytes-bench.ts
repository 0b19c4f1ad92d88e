import type { BenchOptions, BenchResult } from "./bench-section.ts";
import { edgeBytesMax, measureEdgeSize } from "./edge-size.ts";

/** What the edge function weighs beyond what Next itself does. */
export async function benchBytes({ note }: BenchOptions): Promise<BenchResult> {
  const { webhookBytes, emptyBytes } = await measureEdgeSize(note);
  const overBytes = webhookBytes - emptyBytes;
  return {
    figures: { webhookBytes, emptyBytes, overBytes },
    tables: [
      {
        title: "The edge function, bytes of gzip",
        head: ["webhook", "an empty edge route", "over", "at most"],
        rows: [[webhookBytes, emptyBytes, overBytes, edgeBytesMax]],
      },
    ],
    failures: overBytes > edgeBytesMax ? [`The edge function is ${overBytes - edgeBytesMax} bytes too heavy`] : [],
  };
}
