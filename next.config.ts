import { existsSync } from "node:fs";

import type { NextConfig } from "next";

/**
 * The queue of this build: the edge function holds one. `next start` reads this file too, where it has no effect.
 * app/queue/publishers/ has a file for each.
 */
const queue = process.env["QUEUE"]?.trim() || "qstash";
if (!/^[a-z-]+$/.test(queue) || !existsSync(`app/queue/publishers/${queue}.ts`)) {
  throw new Error(`QUEUE is malformed: app/queue/publishers/ has no file for it`);
}
/** Read by `next start` too, so that it follows the environment; by default as in src/platform/env.ts. */
const webhookBytesMax = Number(process.env["WEBHOOK_BODY_BYTES_MAX"]) || 3_145_728;
/** The largest part in which Node hands over a body. */
const chunkBytesMax = 65_536;
/** For every response. A proxy before us that speaks https says so; where it does not, proxy.ts reads RELAY_URL. */
const always = [{ key: "X-Content-Type-Options", value: "nosniff" }];
const overHttps = [{ key: "Strict-Transport-Security", value: "max-age=63072000" }];

/** For what a browser shows; the Content-Security-Policy is each page's own. */
const forPeople = [
  { key: "X-Frame-Options", value: "DENY" },
  // Not "no-referrer": browsers would then send a form with `Origin: null`.
  { key: "Referrer-Policy", value: "same-origin" },
  { key: "Cross-Origin-Opener-Policy", value: "same-origin" },
  { key: "Cross-Origin-Resource-Policy", value: "same-origin" },
  { key: "Permissions-Policy", value: "camera=(), geolocation=(), microphone=(), payment=(), usb=()" },
];

const config: NextConfig = {
  poweredByHeader: false,
  reactStrictMode: true,
  // No page shows an optimised image, and the optimiser logs addresses that strangers make up.
  images: { unoptimized: true },
  // An authority that sslrootcert in DATABASE_URL names: no import leads to it.
  outputFileTracingIncludes: { "/**": ["./src/handlers/**/*.{crt,pem}"] },
  experimental: {
    // Of an edge route's body Next holds so much in memory. The webhook sees more than its limit, and so answers 413.
    proxyClientMaxBodySize: webhookBytesMax + 2 * chunkBytesMax,
    // So that a handler's stack names functions as they are written; on the edge and in the browser bytes count.
    turbopackMinify: { server: false },
  },
  headers: async () => [
    { source: "/:path*", headers: always },
    { source: "/:path*", has: [{ type: "header", key: "x-forwarded-proto", value: "https.*" }], headers: overHttps },
    { source: "/((?!api/|_next/).*)", headers: forPeople },
  ],
  turbopack: {
    resolveAlias: {
      // The package's index is CommonJS, which is bundled as a whole: on the edge 4 kB of gzip for one function of ten lines.
      "@vercel/functions": "./node_modules/@vercel/functions/wait-until.js",
      // Resolved by package.json's imports, whose conditions tell the edge from Node: an alias's own do not.
      "@opentelemetry/api": "#opentelemetry-api",
      "#queue-publisher": `./app/queue/publishers/${queue}.ts`,
    },
  },
};

export default config;
