import { signInternal } from "./internal-signature.ts";

/** Marks a delivery as a probe of ours: an internal signature over its body, for this purpose alone. */
export const probeHeader = "x-relay-probe";
/** What the mark is signed for. */
export const probePurpose = "probe";

/** The headers that make a signed delivery a probe, for five minutes. */
export async function markProbe(secret: string, body: Uint8Array, nowMs: number): Promise<Record<string, string>> {
  return { [probeHeader]: await signInternal(secret, probePurpose, body, nowMs) };
}
