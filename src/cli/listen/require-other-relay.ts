import { CliFailure } from "#platform/failure.ts";

import type { CommandContext } from "../command-context.ts";
import { askPlace, type OpsPlace, readOps, RelayRefusal } from "../read-ops.ts";

interface Me {
  instance?: string | null;
}

const own = "--from is the relay on this machine: its own events would be delivered to it again.";

/**
 * Throws a `CliFailure` if both are one relay, by its address or by the id that both give: a tunnel and a proxy have other
 * addresses.
 */
export async function requireOtherRelay(there: OpsPlace, here: CommandContext): Promise<void> {
  if (originOf(there.baseUrl) === originOf(here.baseUrl())) throw new CliFailure(own);
  const source = await askPlace<Me>(there, "GET", "me").catch((thrown: unknown) => {
    // An older release does not have the route.
    if (thrown instanceof RelayRefusal && thrown.status === 404) return null;
    throw thrown;
  });
  const target = await readOps<Me>(here, "me");
  if (source?.instance && source.instance === target.instance) throw new CliFailure(own);
}

/** One name for the names of this machine. */
function originOf(baseUrl: string): string {
  const { protocol, hostname, port } = new URL(baseUrl);
  const host = /^(localhost|127(\.\d+){3}|\[::1?\]|0\.0\.0\.0)$/.test(hostname) ? "localhost" : hostname;
  return `${protocol}//${host}:${port}`;
}
