import { redirect } from "next/navigation";

import { RelayError, toRelayError } from "#platform/errors.ts";

import type { Count } from "#store/connection/capped-count.ts";
import { instantOfLocal, isLocalTime } from "../zoned-time.ts";
import { orUnknown } from "./or-unknown.ts";
import { noParameters, parseQuery } from "./query-parameters.ts";
import type { SearchParams } from "./search-params.ts";

/** A list's address: where it is, and what it is narrowed down to, as parameters of its route under `/api/ops`. */
export interface ListAddress {
  path: string;
  /** Without the cursor. */
  query: Readonly<Record<string, string>>;
}

/** What the address of a list asks for. */
export interface ListRequest<Filter> extends ListAddress {
  /** `REQUEST_INVALID` names what is wrong with the address: a condition that is ignored would show more than was meant. */
  filter: Filter | RelayError;
  /** Whether the page is not the newest one. */
  older: boolean;
}

export interface ListRequestOptions<Filter> {
  path: string;
  /** Reads the query of the route under `/api/ops`; throws `REQUEST_INVALID`. */
  parse: (params: URLSearchParams) => Filter;
  /** The viewer's, in which the fields `from` and `to` are filled in. */
  zone: string;
  nowMs: number;
}

/** The periods that a form offers: the field `last` has their names. */
export const lastPeriods = {
  "15m": 15 * 60_000,
  "1h": 3_600_000,
  "24h": 86_400_000,
  "7d": 7 * 86_400_000,
  "30d": 30 * 86_400_000,
};

/**
 * Reads the address of a list. What a form sends becomes an address that means the same tomorrow and for another viewer:
 * instants for local times and periods, no empty fields. For that it redirects, by throwing as Next's `redirect` does.
 */
export function listRequest<Filter>(params: SearchParams, options: ListRequestOptions<Filter>): ListRequest<Filter> {
  const { path, parse } = options;
  const given = searchParamsOf(params);
  const lasting = makeLasting(given, options);
  if (lasting.toString() !== given.toString()) redirect(withQuery(path, lasting));
  const { cursor, ...query } = Object.fromEntries(lasting);
  return { path, query, filter: readFilter(parse, lasting), older: cursor !== undefined };
}

/** A page's search parameters with all their values. */
export function searchParamsOf(params: SearchParams): URLSearchParams {
  return new URLSearchParams(
    Object.entries(params).flatMap(([name, values]) => [values ?? []].flat().map((value) => [name, value])),
  );
}

/** Throws `REQUEST_INVALID` if the address of a page that takes no parameters has one. */
export function requirePlainAddress(params: SearchParams): void {
  parseQuery(noParameters, searchParamsOf(params));
}

/** The address of a list that is narrowed down to a query, from a cursor on. */
export function listHref({ path, query }: ListAddress, cursor?: string): string {
  return withQuery(path, new URLSearchParams({ ...query, ...(cursor === undefined ? {} : { cursor }) }));
}

function withQuery(path: string, params: URLSearchParams): string {
  return params.size === 0 ? path : `${path}?${params}`;
}

function makeLasting(given: URLSearchParams, { zone, nowMs }: { zone: string; nowMs: number }): URLSearchParams {
  const period = Object.entries(lastPeriods).find(([name]) => name === given.get("last"));
  const lasting = new URLSearchParams();
  for (const [name, value] of given) {
    if (value === "" || (period !== undefined && ["last", "from", "to"].includes(name))) continue;
    const isLocal = (name === "from" || name === "to") && isLocalTime(value);
    lasting.append(name, isLocal ? instantOfLocal(value, zone) : value);
  }
  if (period !== undefined) lasting.set("from", new Date(nowMs - period[1]).toISOString());
  return lasting;
}

function readFilter<Filter>(parse: (params: URLSearchParams) => Filter, params: URLSearchParams): Filter | RelayError {
  try {
    return parse(params);
  } catch (thrown) {
    return toRelayError(thrown);
  }
}

/** The rows that a request asks for; rejects with its own error if it is invalid. */
export async function readList<Filter, Page>(
  { filter }: ListRequest<Filter>,
  read: (filter: Filter) => Promise<Page>,
): Promise<Page> {
  if (filter instanceof RelayError) throw filter;
  return read(filter);
}

/** A page of a list, and its total on its way. */
export interface Listed<Page> {
  page: Page;
  total: Promise<Count | null>;
}

/** The page that a request asks for, and the total of all pages, for which the rows do not wait. Rejects with the request's own error if it is invalid. */
export async function readListed<Filter extends CountedFilter, Page extends { total?: Count }>(
  request: ListRequest<Filter>,
  read: (filter: Filter) => Promise<Page>,
): Promise<Listed<Page>> {
  return readList(request, async (filter) => {
    const page = await read(filter);
    const counted = read({ ...filter, cursor: undefined, limit: 1, count: true });
    return { page, total: orUnknown(counted.then(({ total }) => total ?? null)) };
  });
}

interface CountedFilter {
  cursor?: unknown;
  limit: number;
  count?: boolean | undefined;
}
