import { parseJsonObject } from "#platform/parse-json.ts";
import type { Answer } from "#platform/bounded-fetch.ts";

import { readUsage } from "./read-usage.ts";

/**
 * Why Instagram's API gave nothing. `limited`: later again. `transient`: the same request may succeed. `unreadable`: the
 * answer was no JSON, or too large. `token` and `permission`: a person must do something. `refused`: this request never
 * succeeds, because what it asks for is gone, or unknown to this version.
 */
export type GraphFault = "limited" | "transient" | "unreadable" | "token" | "permission" | "refused";

/** A request to Instagram's API that failed. Its message is for operators: it quotes nothing of the answer but codes. */
export class GraphFailure extends Error {
  override readonly name = "GraphFailure";
  readonly fault: GraphFault;
  /** How long Instagram asks to wait; 0 if it does not say. */
  readonly waitMs: number;
  readonly #detail: string;

  constructor(fault: GraphFault, detail: string, waitMs = 0, options?: ErrorOptions) {
    super(`Instagram's API ${sentences[fault]} (${detail})`, options);
    this.fault = fault;
    this.waitMs = waitMs;
    this.#detail = detail;
  }

  /** The same with the account that was asked for, where it could be one of several. */
  withAccount(id: string): GraphFailure {
    return new GraphFailure(this.fault, `account ${id}, ${this.#detail}`, this.waitMs, { cause: this.cause });
  }
}

/** Rethrows what was thrown; a `GraphFailure` with the account, unless that is null. */
export function rethrowWithAccount(thrown: unknown, id: string | null): never {
  throw thrown instanceof GraphFailure && id !== null ? thrown.withAccount(id) : thrown;
}

const sentences: Record<GraphFault, string> = {
  limited: "asks to be asked less often",
  transient: "failed",
  unreadable: "gave an answer that cannot be read",
  token: "refuses the token: it has expired, was withdrawn or is not valid; set a new one in INSTAGRAM_ACCESS_TOKEN",
  permission: "does not give the token this right; see the permissions in docs/OPERATIONS.md",
  refused: "refuses the request",
};

/** https://developers.facebook.com/docs/graph-api/overview/rate-limiting, read 2026-11; 80001 to 80014 are by business use case. */
const limitCodes = new Set([4, 17, 32, 613]);

/** A wrong header must not stop a backfill for ever. */
const waitMsMax = 24 * 60 * 60_000;

/** What an answer that is no success means. https://developers.facebook.com/docs/graph-api/guides/error-handling, read 2026-11 */
export function toGraphFailure({ status, headers, text }: Answer): GraphFailure {
  const { error } = parseJsonObject(text);
  const details = typeof error === "object" && error !== null ? (error as Record<string, unknown>) : {};
  const { code, error_subcode: subcode, is_transient: isTransient } = details;
  const number = typeof code === "number" ? code : 0;
  const codes = [number > 0 ? `code ${number}` : "", typeof subcode === "number" ? `subcode ${subcode}` : ""];
  const detail = [`status ${status}`, ...codes].filter((part) => part !== "").join(", ");
  if (limitCodes.has(number) || (number >= 80_001 && number <= 80_014) || status === 429) {
    const seconds = Number(headers.get("retry-after") ?? "");
    const waitMs = Number.isFinite(seconds) ? Math.min(Math.max(seconds * 1_000, 0), waitMsMax) : 0;
    return new GraphFailure("limited", detail, Math.max(waitMs, readUsage(headers).regainMs));
  }
  return new GraphFailure(faultOf(number, isTransient === true, status), detail);
}

function faultOf(code: number, isTransient: boolean, status: number): GraphFault {
  if (code === 190 || code === 102 || (code === 0 && status === 401)) return "token";
  if (code === 3 || code === 10 || (code >= 200 && code < 300)) return "permission";
  if (isTransient || code === 1 || code === 2 || (code === 0 && (status >= 500 || status === 408))) return "transient";
  return code === 0 && status < 400 ? "unreadable" : "refused";
}
