import type { CommandContext } from "./command-context.ts";
import { CliFailure } from "#platform/failure.ts";
import { parseUrl } from "#platform/parse-url.ts";

const path = "/api/webhooks/instagram";

/**
 * The address of a webhook: `edge` and `node` name the routes of the relay; a URL is used as it is, unless it has no path:
 * then it means the relay there. Throws a `CliFailure` for anything else.
 */
export function targetUrl(to: string, context: CommandContext): string {
  if (to === "edge") return `${context.baseUrl()}${path}`;
  if (to === "node") return `${context.baseUrl()}${path}/node`;
  const url = /^https?:\/\//.test(to) ? parseUrl(to) : null;
  if (url === null) throw new CliFailure(`The target must be edge, node or a URL, not "${to}".`);
  return url.pathname === "/" ? `${url.origin}${path}` : to;
}
