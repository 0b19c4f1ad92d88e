import type { CommandContext } from "./command-context.ts";
import { CliFailure } from "#platform/failure.ts";

const path = "/api/webhooks/instagram";

/** The webhook's address: `edge` and `node` are the two routes of the relay, a URL is taken as it is. */
export function targetUrl(to: string, context: CommandContext): string {
  if (to === "edge") return `${context.baseUrl()}${path}`;
  if (to === "node") return `${context.baseUrl()}${path}/node`;
  if (!/^https?:\/\//.test(to) || !URL.canParse(to))
    throw new CliFailure(`The target must be edge, node or a URL, not "${to}".`);
  // A bare origin means the relay there; anything longer is meant as it is.
  return new URL(to).pathname === "/" ? `${new URL(to).origin}${path}` : to;
}
