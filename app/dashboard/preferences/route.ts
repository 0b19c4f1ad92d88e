import { answerPreferences } from "#dashboard/change-preferences.ts";
import { methods } from "#platform/methods.ts";

import { createOpsAccess } from "../../ops-access.ts";

function answer(request: Request): Promise<Response> {
  return answerPreferences(request, createOpsAccess());
}

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: answer });
