import { answerSignOut } from "#dashboard/sign-in.ts";

import { allowOnly } from "../../allow-only.ts";

export function POST(request: Request): Response {
  return answerSignOut(request);
}

const refuse = allowOnly("POST");
export { refuse as DELETE, refuse as GET, refuse as OPTIONS, refuse as PATCH, refuse as PUT };
