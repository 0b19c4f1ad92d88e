import { handleDataDeletion } from "#privacy/data-deletion-handler.ts";
import { hexFromBytes } from "#platform/bytes.ts";
import { readEnv } from "#platform/env.ts";

import { allowOnly } from "../../../allow-only.ts";
import { getDatabase } from "../../../services.ts";
import { signedRequestRouteOptions } from "../signed-request.ts";

const options = signedRequestRouteOptions("DATABASE_URL", "RELAY_URL");

export function POST(request: Request): Promise<Response> {
  return handleDataDeletion(request, {
    ...options,
    newCode: () => hexFromBytes(crypto.getRandomValues(new Uint8Array(16))),
    statusUrl: (code) => `${readEnv(process.env, ["RELAY_URL"]).RELAY_URL[0]}/data-deletion/${code}`,
    openDatabase: () => getDatabase().db,
  });
}

const refuse = allowOnly("POST");
export { refuse as DELETE, refuse as GET, refuse as HEAD, refuse as OPTIONS, refuse as PATCH, refuse as PUT };
