import { answerSignOut } from "#dashboard/sign-out.ts";

import { allowOnly } from "../../allow-only.ts";
import { createOpsAccess } from "../../ops-access.ts";

export function POST(request: Request): Promise<Response> {
  return answerSignOut(request, createOpsAccess());
}

const refuse = allowOnly("POST");
export { refuse as DELETE, refuse as GET, refuse as OPTIONS, refuse as PATCH, refuse as PUT };
