/** What everybody who asks for the package gets on Node: all of it. See package.json's imports. */
export * from "../node_modules/@opentelemetry/api/build/esm/index.js";
