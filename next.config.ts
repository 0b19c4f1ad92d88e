import type { NextConfig } from "next";

const config: NextConfig = {
  poweredByHeader: false,
  reactStrictMode: true,
  // The package's index is CommonJS, which is bundled whole: on the edge 4 kB of gzip for one function of ten lines.
  turbopack: { resolveAlias: { "@vercel/functions": "./node_modules/@vercel/functions/wait-until.js" } },
};

export default config;
