import { readFileSync } from "node:fs";

/** Where the webhook's route and its twin run. Without the line that decision 0001 speaks of both run on Node. */
export const webhookRuntimes: readonly ["edge" | "nodejs", "nodejs"] = [isOnEdge() ? "edge" : "nodejs", "nodejs"];

function isOnEdge(): boolean {
  const route = new URL("../../app/api/webhooks/instagram/route.ts", import.meta.url);
  return /^export const runtime = "edge";$/m.test(readFileSync(route, "utf8"));
}

/** What is counted by runtime, in the order of `/api/ops/runtimes`, when the route and its twin counted the same. */
export function countsOfBoth(counts: Record<string, number>): Record<string, number>[] {
  if (webhookRuntimes[0] === "edge") return [counts, counts];
  return [{}, Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, 2 * count]))];
}
