import { answerSignIn } from "#dashboard/access/sign-in.ts";
import { methods } from "#platform/methods.ts";

import { createOpsAccess } from "../../ops-access.ts";

export const dynamic = "force-dynamic";

function answer(request: Request): Promise<Response> {
  return answerSignIn(request, createOpsAccess());
}

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ GET: answer, POST: answer });
