import { answerDeletionStatus } from "#dashboard/answer-deletion-status.ts";
import { methods } from "#platform/methods.ts";

import { log } from "../../log.ts";
import { getReads } from "../../services.ts";

export const dynamic = "force-dynamic";

async function answer(request: Request, { params }: { params: Promise<{ code: string }> }): Promise<Response> {
  const wantsJson = request.headers.get("accept")?.startsWith("application/json") ?? false;
  return answerDeletionStatus((await params).code, { openDatabase: getReads, log, wantsJson });
}

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ GET: answer });
