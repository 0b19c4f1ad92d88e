import { signInternal } from "./internal-signature.ts";

/** Marks a delivery as a probe of ours: an internal signature over its body, for one of the purposes. */
export const probeHeader = "x-relay-probe";

/** What a mark is signed for: to be answered and go no further, to travel the whole way, or to be refused and not counted. */
export const probePurpose = "probe";
export const canaryPurpose = "canary";
export const forgeryPurpose = "forgery";

/**
 * The account of every probe's events, which Meta never sends. What has it is stored nowhere and handled by nothing, also
 * where the mark has expired or was taken off on the way: the body itself is signed with the app secret.
 */
export const probeAccount = "relay-probe";

/** The headers that make a signed delivery a probe, for five minutes. */
export async function markProbe(
  secret: string,
  body: Uint8Array,
  nowMs: number,
  purpose: typeof probePurpose | typeof canaryPurpose | typeof forgeryPurpose = probePurpose,
): Promise<Record<string, string>> {
  return { [probeHeader]: await signInternal(secret, purpose, body, nowMs) };
}
