import { answerSignOut } from "#dashboard/access/sign-out.ts";
import { methods } from "#platform/methods.ts";

import { createOpsAccess } from "../../ops-access.ts";

function answer(request: Request): Promise<Response> {
  return answerSignOut(request, createOpsAccess());
}

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: answer });
