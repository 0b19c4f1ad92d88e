import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";

import { requestErrors } from "#platform/request-errors.ts";

import type { QuerySchema } from "../lists/query-parameters.ts";
import type { OpsRoute } from "./ops-routes.ts";

export interface DescribeApiOptions {
  version: string;
  /** The deployment's public addresses; empty if none is configured. */
  serverUrls: readonly string[];
}

type Json = Record<string, unknown>;

/**
 * The API of `/api/ops` as OpenAPI 3.1: parameters and bodies are those that the schemas accept. Answers are described in
 * words and not by schemas. https://spec.openapis.org/oas/v3.1.1.html
 */
export function describeApi(routes: readonly OpsRoute[], { version, serverUrls }: DescribeApiOptions): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = (paths[`/api/ops${route.path}`] ??= {});
    path[route.method.toLowerCase()] = describeRoute(route);
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Instagram Webhook Relay: operations",
      version,
      description:
        "An unknown, repeated or malformed parameter is an error. Times are ISO 8601 in UTC. Null is unknown, or has not happened.",
    },
    servers: serverUrls.map((url) => ({ url })),
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "OPS_TOKEN, or a token of OPS_TOKENS" },
      },
      responses: { Error: { description: "The request was refused", content: json(errorSchema) } },
    },
  };
}

function describeRoute({ method, path, role, summary, query, body, status = 200 }: OpsRoute): Json {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => {
    return { name, in: "path", required: true, schema: { type: "string" } };
  });
  const parameters = [...inPath, ...(query === undefined ? [] : describeQuery(query))];
  return {
    operationId: operationId(method, path),
    summary,
    description: `Needs the role ${role}.`,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { content: json(toSchema(body)) } }),
    responses: {
      [status]: { description: "What was asked for", content: { "application/json": {} } },
      default: { $ref: "#/components/responses/Error" },
    },
  };
}

function describeQuery(query: QuerySchema): Json[] {
  const { properties = {}, required = [] } = toSchema(query) as { properties?: Json; required?: string[] };
  return Object.entries(properties).map(([name, schema]) => {
    return { name, in: "query", required: required.includes(name), schema };
  });
}

/** What a schema accepts; checks that JSON Schema cannot express are left out. */
function toSchema(schema: v.GenericSchema): Json {
  const { $schema: _, ...described } = toJsonSchema(schema, {
    target: "draft-2020-12",
    typeMode: "input",
    errorMode: "ignore",
  });
  return described;
}

/** `getDeadLettersGroupId`. */
function operationId(method: string, path: string): string {
  const words = path.split(/[^A-Za-z]+/).filter((word) => word !== "");
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

function json(schema: Json): Json {
  return { "application/json": { schema } };
}

const errorSchema: Json = {
  type: "object",
  required: ["error"],
  properties: {
    error: {
      type: "object",
      required: ["code", "message"],
      properties: { code: { type: "string", enum: Object.keys(requestErrors) }, message: { type: "string" } },
    },
  },
};
