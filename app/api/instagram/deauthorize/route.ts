import { handleDeauthorize } from "#privacy/deauthorize-handler.ts";
import { saveDeauthorization } from "#store/save-deauthorization.ts";

import { allowOnly } from "../../../allow-only.ts";
import { getDatabase } from "../../../services.ts";
import { signedRequestRouteOptions } from "../signed-request.ts";

const options = signedRequestRouteOptions("DATABASE_URL");

export function POST(request: Request): Promise<Response> {
  return handleDeauthorize(request, { ...options, save: (given) => saveDeauthorization(getDatabase().db, given) });
}

const refuse = allowOnly("POST");
export { refuse as DELETE, refuse as GET, refuse as HEAD, refuse as OPTIONS, refuse as PATCH, refuse as PUT };
