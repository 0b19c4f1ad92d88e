import type { Advice } from "./check.ts";

/** What an HTTP answer says, as far as it tells who gave it. */
export interface HttpAnswer {
  status: number;
  /** By lower-case name. */
  headers: ReadonlyMap<string, string>;
  /** Its beginning. */
  text: string;
}

/**
 * Whether Vercel's Deployment Protection answered in our place: it sends browsers to its sign-in, others get a page or a
 * line that asks for authentication. https://vercel.com/docs/deployment-protection
 */
export function isDeploymentProtection({ status, headers, text }: HttpAnswer): boolean {
  if (headers.get("location")?.startsWith("https://vercel.com/sso-api")) return true;
  if (headers.get("set-cookie")?.includes("_vercel_sso_nonce")) return true;
  if (status !== 401 && status !== 403) return false;
  return (
    headers.has("x-vercel-error") || /vercel\.com\/sso-api|Vercel Authentication|Authentication Required/.test(text)
  );
}

export const deploymentProtectionAdvice: Advice = {
  cause: "Vercel's Deployment Protection answers in the relay's place.",
  remedy:
    "Turn on Protection Bypass for Automation in the project's settings and deploy again: Vercel then sets VERCEL_AUTOMATION_BYPASS_SECRET, which the relay sends along. Or give RELAY_URL a production domain, which is not protected.",
};

/** What answers in the relay's place when it is not Deployment Protection; undefined if that cannot be told. */
export function explainStranger({ status, headers }: HttpAnswer): Advice {
  if (status >= 300 && status < 400) {
    const location = headers
      .get("location")
      ?.split("?")[0]
      ?.replace(/\/api\/health$/, "");
    return {
      cause: "RELAY_URL redirects, to https or to another domain; QStash does not follow.",
      remedy: `Set RELAY_URL to where the redirect leads${location === undefined ? "" : `: ${location}`}.`,
    };
  }
  if (status === 401 || status === 403) {
    return {
      cause: "Something in front of the relay asks for a sign-in or refuses programs: a proxy or a firewall.",
      remedy: "Let it leave the relay's /api routes open: each checks a signature or a token by itself.",
    };
  }
  if (status === 404 && headers.has("x-vercel-error")) {
    return {
      cause: "RELAY_URL names a deployment that Vercel does not have any more.",
      remedy: "Set RELAY_URL to the project's production domain.",
    };
  }
  return {
    cause: "RELAY_URL leads to another server or application, or to an older version of the relay.",
    remedy: "Correct RELAY_URL, or deploy this version there.",
  };
}
