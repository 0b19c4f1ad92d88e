import { answerSignIn } from "#dashboard/sign-in.ts";

import { allowOnly } from "../../allow-only.ts";
import { createOpsAccess } from "../../ops-access.ts";

export const dynamic = "force-dynamic";

export function GET(request: Request): Promise<Response> {
  return answerSignIn(request, createOpsAccess());
}

const refuse = allowOnly("GET", "HEAD", "POST");
export { GET as POST, refuse as DELETE, refuse as OPTIONS, refuse as PATCH, refuse as PUT };
