/** https://vercel.com/docs/deployment-protection/methods-to-bypass-deployment-protection/protection-bypass-automation */
export const protectionBypassHeader = "x-vercel-protection-bypass";

/** The headers with which a request passes Vercel's Deployment Protection; none without a secret. */
export function protectionBypass(secret: string | null): Record<string, string> {
  return secret === null ? {} : { [protectionBypassHeader]: secret };
}
