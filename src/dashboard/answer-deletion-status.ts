import { eq, sql } from "drizzle-orm";

import { errorResponse, RelayError } from "#platform/errors.ts";
import type { Log } from "#platform/log.ts";
import { refuse } from "#platform/refuse.ts";
import type { Database } from "#store/connection/database.ts";
import { withStoreErrors } from "#store/connection/store-error.ts";
import { dataDeletions } from "#store/schema/privacy-schema.ts";

import { barePage, escapeHtml } from "./bare-page.ts";
import { formatCount } from "./format.ts";

/** What the page shows of a request; nothing in it identifies the person. */
interface DeletionStatus {
  code: string;
  requestedAt: Date;
  erased: number;
  completedAt: Date | null;
  /** Copies that could not be reached; see `UnreachedCopy`. */
  unreached: string[];
}

/** The form of our codes; anything else is not looked up. */
const codePattern = /^[0-9a-f]{32}$/;

interface AnswerDeletionStatusOptions {
  openDatabase: () => Database;
  log: Log;
  /** Whether the queue keeps a log of what it delivered. */
  queueHasLog: boolean;
  /** The request's `Accept`: a program that asks for JSON gets JSON. */
  accept?: string | null;
}

/**
 * The page of a confirmation code, for the person whose data is erased: without sign-in, in plain words, without personal
 * data. 404 for an unknown code. The same facts as JSON for a request that accepts no HTML.
 */
export async function answerDeletionStatus(
  code: string,
  { openDatabase, log, queueHasLog, accept = null }: AnswerDeletionStatusOptions,
): Promise<Response> {
  const wantsJson = accept?.startsWith("application/json") ?? false;
  try {
    const isCode = codePattern.test(code);
    const status = isCode ? await withStoreErrors(() => readStatus(openDatabase(), code)) : undefined;
    if (wantsJson) return statusJson(status);
    return status === undefined ? notFoundPage() : statusPage(status, queueHasLog);
  } catch (thrown) {
    const refusal = refuse(log, "deletion_status.failed", thrown);
    if (wantsJson) return refusal;
    return page(refusal.status, "The status cannot be shown now", [
      "Please come back in a few minutes. Your request is not affected.",
    ]);
  }
}

async function readStatus(db: Database, code: string): Promise<DeletionStatus | undefined> {
  const [status] = await db
    .select({
      code: dataDeletions.code,
      requestedAt: dataDeletions.requestedAt,
      erased: dataDeletions.erased,
      completedAt: dataDeletions.completedAt,
      unreached: sql<string[]>`coalesce(${dataDeletions.unreached}, '[]')`,
    })
    .from(dataDeletions)
    .where(eq(dataDeletions.code, code));
  return status;
}

function statusJson(status: DeletionStatus | undefined): Response {
  if (status === undefined) return errorResponse(new RelayError("NOT_FOUND", "There is no such request"));
  return Response.json(status, { headers: { "cache-control": "no-store" } });
}

/** What is said of copies that could not be reached. */
const unreachedSentences: Record<string, string> = {
  "queue-dead-letters":
    "The delivery service that carries items to us (QStash) did not answer for a day. It may still keep copies of items that it could not deliver. It deletes them by itself, on its smallest plan after three days and on the largest after three months.",
};

/** What waits at the queue cannot be changed there. */
const waitingSentence =
  "Items of yours that were still on their way to us when you asked are erased as soon as they arrive.";

/** The log has the messages' bodies. https://upstash.com/docs/qstash/howto/debug-logs */
const logSentence =
  "The delivery service that carries items to us (QStash) keeps a log of what it delivered. We cannot change that log; its entries are deleted by themselves after some days or weeks.";

function statusPage(status: DeletionStatus, queueHasLog: boolean): Response {
  const { code, requestedAt, completedAt, erased } = status;
  const unreached = status.unreached.map((copy) => unreachedSentences[copy] ?? "A copy could not be reached.");
  const facts = `<dl>
<div><dt>Requested</dt><dd>${time(requestedAt)}</dd></div>
<div><dt>Completed</dt><dd>${completedAt === null ? "Not yet" : time(completedAt)}</dd></div>
<div><dt>Erased</dt><dd>${items(erased)}</dd></div>
<div><dt>Confirmation code</dt><dd><code>${escapeHtml(code)}</code></dd></div>
</dl>`;
  if (completedAt === null) {
    return page(
      200,
      "Your data is being erased",
      [
        "This is not complete yet. It goes on by itself, and this page shows when it is done. If our delivery service does not answer, that can take a day.",
      ],
      facts,
    );
  }
  if (erased === 0) {
    return page(
      200,
      "Nothing stored could be matched to you",
      [
        "Meta identifies you to this app by an id that is valid for this app only. Messages and comments reach us with another id, so that often none of them can be matched to a request. That is the case here: nothing was erased.",
        "To have messages or comments erased, please ask the business that you sent them to.",
        ...unreached,
      ],
      facts,
    );
  }
  return page(
    200,
    "Your data has been erased",
    [
      "The contents of the messages, comments and other items matched to you were erased here, and your id was removed from them. The originals on Instagram are not affected.",
      "For each item we keep that it was received, when, and a checksum by which we recognise it if it is sent again.",
      waitingSentence,
      ...(queueHasLog ? [logSentence] : []),
      ...unreached,
    ],
    facts,
  );
}

function notFoundPage(): Response {
  return page(404, "No such request", [
    "There is no deletion request with this confirmation code. Please check that the address is complete.",
  ]);
}

const style = `
main { max-width: 480px; }
h1 { margin-bottom: 12px; }
p { margin-bottom: 12px; }
p:last-child { margin-bottom: 0; }
dl { display: grid; gap: 12px; margin: 20px 0 0; padding-top: 20px; border-top: 1px solid light-dark(#dee2e6, #3b3d42); font-size: 14px; }
dt { color: light-dark(#5c636a, #a6a7ab); }
dd { margin: 0; overflow-wrap: anywhere; }
`;

function page(status: number, heading: string, paragraphs: readonly string[], facts = ""): Response {
  const text = paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`).join("\n");
  return barePage({ status, title: heading, style, main: `<h1>${escapeHtml(heading)}</h1>\n${text}\n${facts}` });
}

function items(count: number): string {
  return `${formatCount(count)} stored ${count === 1 ? "item" : "items"}`;
}

const dateFormat = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });

function time(at: Date): string {
  return `<time datetime="${at.toISOString()}">${escapeHtml(dateFormat.format(at))} UTC</time>`;
}
