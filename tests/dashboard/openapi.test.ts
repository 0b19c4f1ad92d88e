import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { describeApi } from "#dashboard/openapi/describe-api.ts";
import { opsRoutes } from "#dashboard/openapi/ops-routes.ts";

const folder = fileURLToPath(new URL("../../app/api/ops", import.meta.url));
const routes = opsRoutes(["message", "comment"]);
const api = describeApi(routes, { version: "1.2.3", serverUrl: "https://relay.example.com" });

interface Operation {
  operationId: string;
  parameters?: { name: string; in: string; required: boolean; schema: Record<string, unknown> }[];
  requestBody?: { content: { "application/json": { schema: Record<string, unknown> } } };
  responses: Record<string, unknown>;
}
const paths = (api as { paths: Record<string, Record<string, Operation>> }).paths;
const operation = (method: string, path: string) => paths[`/api/ops${path}`]?.[method];
const parameter = (path: string, name: string) => operation("get", path)?.parameters?.find((one) => one.name === name);

test("every route and method under app/api/ops is described, and no other", () => {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith("route.ts"));
  const inFiles = files.flatMap((name) => {
    const [, answers = ""] = readFileSync(join(folder, name), "utf8").split(/methods\(\{/);
    const path = `/${dirname(name).replaceAll("[", "{").replaceAll("]", "}")}`;
    return [...answers.matchAll(/\b(GET|POST|DELETE):/g)].map(([, method]) => `${method} ${path}`);
  });
  expect(routes.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(inFiles.toSorted());
});

test("parameters are those of the schemas, with their words, forms and defaults", () => {
  expect(parameter("/deliveries", "outcome")?.schema).toEqual({
    type: "string",
    enum: ["published", "fallback", "lost", "refused"],
  });
  expect(parameter("/drift", "limit")?.schema).toMatchObject({
    type: "string",
    default: "50",
    pattern: expect.any(String) as unknown,
  });
  expect(parameter("/events", "cursor")).toMatchObject({ in: "query", required: false, schema: { type: "string" } });
  expect(parameter("/find", "q")).toMatchObject({ required: true, schema: { maxLength: 4_000 } });
  expect(parameter("/dead-letters/{groupId}", "groupId")).toMatchObject({ in: "path", required: true });
});

test("bodies are those of the schemas, and ids of operations are unique", () => {
  const schema = operation("post", "/replays")?.requestBody?.content["application/json"].schema;
  expect(schema).toMatchObject({ type: "object", required: ["filter", "reason"], additionalProperties: false });
  expect(Object.keys(operation("post", "/replays")?.responses ?? {})).toEqual(["201", "default"]);
  const ids = Object.values(paths).flatMap((path) => Object.values(path).map(({ operationId }) => operationId));
  expect(new Set(ids).size).toBe(ids.length);
  expect(JSON.stringify(api)).not.toContain("$schema");
});
