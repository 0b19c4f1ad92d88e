/** The whole package, which every importer on Node gets. See package.json's imports. */
export * from "../node_modules/@opentelemetry/api/build/esm/index.js";
