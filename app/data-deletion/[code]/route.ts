import { answerDeletionStatus } from "#dashboard/deletion-status.ts";

import { log } from "../../log.ts";
import { allowOnly } from "../../allow-only.ts";
import { getReads } from "../../services.ts";

export const dynamic = "force-dynamic";

export async function GET(_request: Request, { params }: { params: Promise<{ code: string }> }): Promise<Response> {
  return answerDeletionStatus((await params).code, { openDatabase: () => getReads(), log });
}

const refuse = allowOnly("GET", "HEAD");
export { refuse as DELETE, refuse as OPTIONS, refuse as PATCH, refuse as POST, refuse as PUT };
