import type { NextConfig } from "next";

const config: NextConfig = {
  poweredByHeader: false,
  reactStrictMode: true,
  // So that a handler's stack names functions as they are written; on the edge and in the browser bytes count.
  experimental: { turbopackMinify: { server: false } },
  turbopack: {
    resolveAlias: {
      // The package's index is CommonJS, which is bundled whole: on the edge 4 kB of gzip for one function of ten lines.
      "@vercel/functions": "./node_modules/@vercel/functions/wait-until.js",
      // By package.json's imports another on the edge. An alias's own conditions do not tell the edge from Node.
      "@opentelemetry/api": "#opentelemetry-api",
    },
  },
};

export default config;
