import { answerDeletionStatus } from "#dashboard/answer-deletion-status.ts";
import { methods } from "#platform/methods.ts";

import { log } from "../../log.ts";
import { getReads } from "../../database.ts";
import { capabilities } from "../../queue/queue.ts";

export const dynamic = "force-dynamic";

async function answer(request: Request, { params }: { params: Promise<{ code: string }> }): Promise<Response> {
  return answerDeletionStatus((await params).code, {
    openDatabase: getReads,
    queueHasLog: capabilities.attemptLog,
    log,
    accept: request.headers.get("accept"),
  });
}

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ GET: answer });
