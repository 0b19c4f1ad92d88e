import type { Advice } from "./check.ts";

/** The parts of an HTTP answer that show which server answered. */
export interface HttpAnswer {
  status: number;
  /** By lower-case name. */
  headers: ReadonlyMap<string, string>;
  /** The beginning of the body. */
  text: string;
}

/**
 * Whether Vercel's Deployment Protection answered instead of the relay. It redirects browsers to its sign-in and asks
 * other clients for authentication. https://vercel.com/docs/deployment-protection
 */
export function isDeploymentProtection({ status, headers, text }: HttpAnswer): boolean {
  if (headers.get("location")?.startsWith("https://vercel.com/sso-api")) return true;
  if (headers.get("set-cookie")?.includes("_vercel_sso_nonce")) return true;
  if (status !== 401 && status !== 403) return false;
  return (
    headers.has("x-vercel-error") || /vercel\.com\/sso-api|Vercel Authentication|Authentication Required/.test(text)
  );
}

/** How the queue and the relay itself pass Deployment Protection. */
export const deploymentProtectionAdvice: Advice = {
  cause: "Vercel's Deployment Protection answers instead of the relay.",
  remedy:
    "Turn on Protection Bypass for Automation in the project's settings and deploy again: Vercel then sets VERCEL_AUTOMATION_BYPASS_SECRET, which the relay sends with its requests. Or set RELAY_URL to a production domain, which is not protected.",
};

/** What answers at RELAY_URL if it is neither the relay nor Deployment Protection. */
export function explainStranger({ status, headers }: HttpAnswer): Advice {
  if (status >= 300 && status < 400) {
    const location = headers
      .get("location")
      ?.split("?")[0]
      ?.replace(/\/api\/health$/, "");
    return {
      cause:
        "RELAY_URL redirects, to https or to another domain, and neither the queue nor the relay follows redirects.",
      remedy: `Set RELAY_URL to the target of the redirect${location === undefined ? "" : `: ${location}`}.`,
    };
  }
  if (status === 401 || status === 403) {
    return {
      cause: "A proxy or firewall in front of the relay asks for a sign-in or refuses programs.",
      remedy: "Exclude the relay's /api routes: each of them verifies a signature or a token itself.",
    };
  }
  if (status === 404 && headers.has("x-vercel-error")) {
    return {
      cause: "RELAY_URL names a deployment that no longer exists on Vercel.",
      remedy: "Set RELAY_URL to the project's production domain.",
    };
  }
  return {
    cause: "RELAY_URL leads to another server or application, or to an older version of the relay.",
    remedy: "Correct RELAY_URL, or deploy this version there.",
  };
}
