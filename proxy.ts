import { type NextRequest, NextResponse } from "next/server";

import { carriesOwnPolicy, pagePolicy, strictTransport } from "#dashboard/access/page-policy.ts";

/** Only pages: a route that machines call must not wait for what people need. */
export const config = { matcher: ["/", "/dashboard/:path*", "/data-deletion/:path*"] };

/** Gives each page a Content-Security-Policy with a nonce of its own. Next reads the nonce from the request's header. */
export function proxy(request: NextRequest): NextResponse {
  const overHttps = strictTransport(process.env["RELAY_URL"]);
  if (carriesOwnPolicy(request.nextUrl.pathname)) return NextResponse.next({ headers: overHttps });
  const nonce = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64");
  const policy = pagePolicy(nonce);
  const headers = new Headers(request.headers);
  headers.set("content-security-policy", policy);
  headers.set("x-nonce", nonce);
  // A page that asks to sign in first comes back to its whole address; Next tells it no more than its parameters.
  headers.set("x-page", request.nextUrl.pathname + request.nextUrl.search);
  return NextResponse.next({ request: { headers }, headers: { ...overHttps, "content-security-policy": policy } });
}
