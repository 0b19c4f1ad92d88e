import { eq, sql } from "drizzle-orm";

import type { Log } from "#platform/log.ts";
import { parseJson } from "#platform/parse-json.ts";
import { refuse } from "#platform/refuse.ts";
import type { Database } from "#store/database.ts";
import { dataDeletions } from "#store/privacy-schema.ts";
import { withStoreErrors } from "#store/store-error.ts";

import { barePage, escapeHtml } from "./bare-page.ts";
import { formatCount } from "./format.ts";

/** What the page shows of a request; nothing in it identifies the person. */
interface DeletionStatus {
  code: string;
  requestedAt: Date;
  erased: number;
  /** JSON text: an array of words for copies that could not be deleted; null if there are none. */
  unreached: string | null;
  completedAt: Date | null;
}

/** The form of our codes; anything else is not looked up. */
const codePattern = /^[0-9a-f]{32}$/;

/**
 * The page of a confirmation code, for the person whose data is erased: without sign-in, in plain words, without personal
 * data. 404 for an unknown code.
 */
export async function answerDeletionStatus(
  code: string,
  { openDatabase, log }: { openDatabase: () => Database; log: Log },
): Promise<Response> {
  try {
    const isCode = codePattern.test(code);
    const status = isCode ? await withStoreErrors(() => readStatus(openDatabase(), code)) : undefined;
    return status === undefined ? notFoundPage() : statusPage(status);
  } catch (thrown) {
    // The person gets this page with the response's status.
    const { status } = refuse(log, "deletion_status.failed", thrown);
    return page(status, "The status cannot be shown now", [
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
      // As text: the driver would parse a json column by itself.
      unreached: sql<string | null>`${dataDeletions.unreached}::text`,
      completedAt: dataDeletions.completedAt,
    })
    .from(dataDeletions)
    .where(eq(dataDeletions.code, code));
  return status;
}

function statusPage(status: DeletionStatus): Response {
  const { code, requestedAt, completedAt, erased } = status;
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
        "This is not complete yet. If it is still not complete in an hour, please repeat the request: the erasure will continue.",
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
        ...describeUnreached(status.unreached),
      ],
      facts,
    );
  }
  return page(
    200,
    "Your data has been erased",
    [
      "The contents of the messages, comments and other items matched to you were erased here, and your id was removed from them. The originals on Instagram are not affected.",
      "For each item we keep that it was received, when, and a key by which we recognise it if it is sent again. Such a key can contain ids that Instagram assigned.",
      ...describeUnreached(status.unreached),
    ],
    facts,
  );
}

/** By the words of `data_deletions.unreached`. */
const copies: Record<string, string> = {
  "queue-dead-letters": "messages that our queue provider could not deliver",
};

function describeUnreached(unreached: string | null): string[] {
  const words = unreached === null ? [] : parseJson(unreached);
  if (!Array.isArray(words) || words.length === 0) return [];
  const names = words.map((word) => copies[String(word)] ?? "other temporary copies");
  return [
    `We could not delete copies in ${names.join(" and ")}. If there are any, they are deleted there by themselves within seven days.`,
  ];
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
