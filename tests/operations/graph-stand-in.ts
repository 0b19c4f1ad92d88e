// Instagram's API on this machine: pages, limits, expires, loses connections, fails, and holds requests back.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { onTestFinished } from "vitest";

/** A message as the API keeps it. */
export interface GraphMessage {
  id: string;
  fromId: string;
  toId: string;
  atMs: number;
  text?: string;
  /** More fields of the message; a list leaves them out where `isBareInList`. */
  more?: Record<string, unknown>;
  isBareInList?: boolean;
}

export interface GraphComment {
  id: string;
  fromId: string;
  atMs: number;
  text: string;
  replies?: GraphComment[];
}

export interface GraphAccount {
  id: string;
  username: string;
  conversations: { id: string; messages: GraphMessage[] }[];
  media: { id: string; product: string; comments: GraphComment[] }[];
}

/** What happens to a request instead of its answer. `hold`: it is never answered. */
export type Fault =
  | { status: number; body: unknown; headers?: Record<string, string> }
  | "destroy"
  | "hold"
  | "endless"
  | "cut";

export interface GraphStandIn {
  url: string;
  /** By the token. */
  accounts: Map<string, GraphAccount>;
  /** Headers of every answer, such as Meta's usage. */
  headers: Record<string, string>;
  /** What `paging.next` says instead of the own address. */
  nextUrl: string | null;
  /** Whether the page after the last one is the first. */
  ring: boolean;
  /** Lets the next matching requests meet these, one each. */
  fail(path: RegExp, ...faults: Fault[]): void;
  requests: { path: string; query: URLSearchParams; authorization: string | undefined }[];
  /** How many requests are held. */
  held(): number;
  /** Ends the connections of the requests that are held. */
  dropHeld(): void;
}

/** Meta's error of this code. */
export function graphError(code: number, more: Record<string, unknown> = {}): Fault {
  const error = { message: "Meta's words", type: "OAuthException", code, fbtrace_id: "AbC", ...more };
  return { status: code === 1 || code === 2 ? 500 : 400, body: { error } };
}

const detailsMax = 20;

export async function startGraphStandIn(): Promise<GraphStandIn> {
  const faults: { path: RegExp; fault: Fault }[] = [];
  const held = new Set<ServerResponse>();
  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? "/", "http://x");
    const { authorization } = incoming.headers;
    const path = url.pathname.replace(/^\/v25\.0/, "");
    standIn.requests.push({ path, query: url.searchParams, authorization });
    const at = faults.findIndex((one) => one.path.test(path));
    const [found] = at < 0 ? [] : faults.splice(at, 1);
    if (found?.fault === "hold") held.add(outgoing);
    else if (found === undefined) send(outgoing, 200, answer(path, url.searchParams, authorization));
    else meet(found.fault, incoming, outgoing);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const standIn: GraphStandIn = {
    url: `http://127.0.0.1:${port}/v25.0`,
    accounts: new Map(),
    headers: {},
    nextUrl: null,
    ring: false,
    fail: (path, ...given) => void faults.push(...given.map((fault) => ({ path, fault }))),
    requests: [],
    held: () => held.size,
    dropHeld: () => {
      for (const outgoing of held) outgoing.destroy();
    },
  };
  return standIn;

  function meet(fault: Fault, incoming: IncomingMessage, outgoing: ServerResponse): void {
    if (typeof fault === "object") return send(outgoing, fault.status, fault.body, fault.headers);
    if (fault === "destroy") return void incoming.socket.destroy();
    outgoing.writeHead(200, { "content-type": "application/json" });
    if (fault === "cut") return void outgoing.end('{"data":[{"id":"1",');
    outgoing.write('{"data":["');
    const write = () => {
      while (!outgoing.destroyed && outgoing.write("x".repeat(65_536)));
    };
    outgoing.on("drain", write);
    write();
  }

  function send(outgoing: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    outgoing.writeHead(status, { "content-type": "application/json", ...standIn.headers, ...headers }).end(text);
  }

  function answer(path: string, query: URLSearchParams, authorization: string | undefined): unknown {
    const token = authorization?.replace("Bearer ", "") ?? "";
    const account = standIn.accounts.get(token);
    if (account === undefined) return { error: { code: 190, error_subcode: 463, message: "Meta's words" } };
    if (path === "/me") return whoIs(account, token);
    if (path === "/me/conversations") {
      const newestFirst = account.conversations.toSorted((a, b) => updatedMs(b.messages) - updatedMs(a.messages));
      return edge(newestFirst, query, ({ id, messages }) => ({ id, updated_time: graphTime(updatedMs(messages)) }));
    }
    if (path === "/me/media" || path === `/${account.id}/media`) {
      return edge(account.media, query, ({ id, product, comments: own }) => {
        return { id, media_product_type: product, comments_count: own.length };
      });
    }
    const [, id = "", edgeName] = path.split("/");
    const conversation = account.conversations.find((one) => one.id === id);
    if (conversation !== undefined) return { id, messages: newest(conversation.messages, account) };
    const media = account.media.find((one) => one.id === id);
    if (media !== undefined && edgeName === "comments") return comments(media.comments, query, 1);
    const all = account.media.flatMap((one) => one.comments);
    const parent = all.find((one) => one.id === id);
    if (parent !== undefined && edgeName === "replies") return comments(parent.replies ?? [], query, 0);
    const message = account.conversations.flatMap(({ messages }) => messages).find((one) => one.id === id);
    if (message !== undefined) return { ...messageJson(message, account), ...message.more };
    return { error: { code: 100, error_subcode: 33, message: "Meta's words" } };
  }

  function comments(list: readonly GraphComment[], query: URLSearchParams, depth: number): unknown {
    const newestFirst = list.toSorted((a, b) => b.atMs - a.atMs);
    return edge(newestFirst, query, ({ id, fromId, atMs, text, replies = [] }) => ({
      id,
      from: { id: fromId, username: `user${fromId}` },
      timestamp: graphTime(atMs),
      text,
      ...(depth > 0 && replies.length > 0
        ? { replies: comments(replies, new URLSearchParams({ limit: "2" }), 0) }
        : {}),
    }));
  }

  function newest(messages: readonly GraphMessage[], account: GraphAccount): unknown {
    const data = messages
      .toSorted((a, b) => b.atMs - a.atMs)
      .slice(0, detailsMax)
      .map((message) => {
        return { ...messageJson(message, account), ...(message.isBareInList === true ? {} : message.more) };
      });
    const isMore = messages.length > detailsMax;
    return { data, ...(isMore ? { paging: { cursors: { after: "x" }, next: nextOf("x") } } : {}) };
  }

  /** Two rows a page at most, so that everything has pages. */
  function edge<T>(rows: readonly T[], query: URLSearchParams, toJson: (row: T) => unknown): unknown {
    const from = Number(query.get("after")?.replace("cursor-", "") ?? 0);
    const to = from + Math.min(2, Number(query.get("limit") ?? 25));
    const isLast = to >= rows.length;
    const after = `cursor-${isLast && standIn.ring ? 0 : to}`;
    const paging = { cursors: { before: "b", after }, ...(isLast && !standIn.ring ? {} : { next: nextOf(after) }) };
    return { data: rows.slice(from, to).map(toJson), paging };
  }

  function nextOf(after: string): string {
    return standIn.nextUrl ?? `${standIn.url}/next?access_token=in-the-address&after=${after}`;
  }
}

function whoIs({ id, username }: GraphAccount, token: string): unknown {
  if (!token.startsWith("EA")) return { id: `app-scoped-${id}`, user_id: id, username };
  return { id: `page-${id}`, instagram_business_account: { id, username } };
}

function updatedMs(messages: readonly GraphMessage[]): number {
  return Math.max(...messages.map(({ atMs }) => atMs));
}

function messageJson({ id, fromId, toId, atMs, text }: GraphMessage, account: GraphAccount) {
  // The account has its name here, and an id that is valid for the app only.
  const person = (own: string) =>
    own === account.id ? { id: `app-scoped-${own}`, username: account.username } : { id: own, username: `user${own}` };
  return { id, created_time: graphTime(atMs), from: person(fromId), to: { data: [person(toId)] }, message: text ?? "" };
}

/** `2026-01-31T12:00:00+0000`: whole seconds. */
function graphTime(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.\d+Z$/, "+0000");
}
