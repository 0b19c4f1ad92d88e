import { answerSignIn } from "#dashboard/sign-in.ts";
import { systemClock } from "#platform/clock.ts";
import { readEnv } from "#platform/env.ts";

import { allowOnly } from "../../allow-only.ts";

export const dynamic = "force-dynamic";

export function GET(request: Request): Promise<Response> {
  return answerSignIn(request, { opsToken: () => readEnv(process.env, ["OPS_TOKEN"]).OPS_TOKEN, clock: systemClock });
}

const refuse = allowOnly("GET", "HEAD", "POST");
export { GET as POST, refuse as DELETE, refuse as OPTIONS, refuse as PATCH, refuse as PUT };
