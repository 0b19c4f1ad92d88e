import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect, isIP, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

import type { Clock } from "#platform/clock.ts";

import type { Finding } from "./check.ts";
import type { HttpAnswer } from "./deployment-protection.ts";
import { type AddressSource, explainNetwork } from "./explain-network.ts";
import { isPrivate } from "./hosts.ts";
import type { Step } from "./run-steps.ts";

/** A connection that is opened in steps. */
export interface Connection {
  /** DNS, then TCP to one of the addresses found. */
  steps: Step[];
  /** The handshake over that connection. The certificate is verified even if NODE_TLS_REJECT_UNAUTHORIZED is 0. */
  tlsStep: (clock: Pick<Clock, "nowMs">) => Step;
  /** One `GET` over that connection. Rejects with the network error. */
  get: (path: string, headers: Record<string, string>) => Promise<HttpAnswer>;
  /** Whether all addresses found belong to this machine or network. */
  isPrivate: () => boolean;
  /** Closes the connection, also while it is being opened. */
  close: () => void;
}

/** Where to connect. */
export interface Endpoint extends AddressSource {
  host: string;
  port: number;
}

const limitMs = 3_000;
const answerBytesMax = 65_536;
const dayMs = 86_400_000;
const certificateDaysMin = 7;

/** Describes a connection in steps, so that the step that fails has a name. Opens nothing itself. */
export function createConnection({ host, port, variable }: Endpoint): Connection {
  const explain = (error: unknown) => explainNetwork(error, { variable });
  let addresses: { address: string; family: number }[] = [];
  let socket: Socket | undefined;

  const resolve = async (): Promise<Finding> => {
    addresses = await lookup(host, { all: true });
    const families = [...new Set(addresses.map(({ family }) => `IPv${family}`))].toSorted().join(" and ");
    const count = `${addresses.length} ${addresses.length === 1 ? "address" : "addresses"}`;
    return { status: "ok", detail: isIP(host) ? `the host is an ${families} address` : `${count}, ${families}` };
  };
  const open = async (): Promise<Finding> => {
    // With the addresses of the step before, so that only connecting is measured.
    const known: LookupFunction = (_host, options, answer) => {
      const [first] = addresses;
      if (options.all) answer(null, addresses);
      else answer(null, first?.address ?? "", first?.family);
    };
    socket = withoutUncaughtErrors(connect({ host, port, lookup: known }));
    await once(socket, "connect");
    return { status: "ok", detail: "connected" };
  };
  const secure = async (nowMs: number): Promise<Finding> => {
    if (socket === undefined) throw new Error("There is no connection to secure");
    const name = isIP(host) ? {} : { servername: host };
    const secured = withoutUncaughtErrors(
      connectTls({ socket, host, ...name, rejectUnauthorized: true, ALPNProtocols: ["http/1.1"] }),
    );
    socket = secured;
    await once(secured, "secureConnect");
    return describeTls(secured, nowMs);
  };

  return {
    steps: [
      { name: "DNS", limitMs, run: resolve, explain },
      { name: "TCP", limitMs, run: open, explain },
    ],
    tlsStep: (clock) => ({ name: "TLS", limitMs, run: () => secure(clock.nowMs()), explain }),
    get: (path, headers) => {
      if (socket === undefined) throw new Error("There is no connection to ask over");
      return getOver(socket, path, { host: port === 80 || port === 443 ? host : `${host}:${port}`, ...headers });
    },
    isPrivate: () => addresses.every(({ address }) => isPrivate(address)),
    close: () => void socket?.destroy(),
  };
}

/** Ignores errors between two steps, which would end the process; the steps see the errors that occur while they wait. */
function withoutUncaughtErrors<T extends Socket>(socket: T): T {
  return socket.on("error", () => {});
}

/** The TLS version, and how long the certificate is still valid. */
export function describeTls(socket: TLSSocket, nowMs: number): Finding {
  const protocol = socket.getProtocol() ?? "TLS";
  const days = Math.floor((Date.parse(socket.getPeerCertificate().valid_to) - nowMs) / dayMs);
  if (Number.isNaN(days)) return { status: "ok", detail: protocol };
  const detail = `${protocol}, certificate valid for ${days} ${days === 1 ? "day" : "days"}`;
  if (days >= certificateDaysMin) return { status: "ok", detail };
  return {
    status: "warning",
    detail,
    cause: "The certificate expires soon or has expired: its renewal, which is due weeks earlier, has failed.",
    remedy: "Renew it now, and find out why the automatic renewal failed.",
  };
}

async function getOver(socket: Socket, path: string, headers: Record<string, string>): Promise<HttpAnswer> {
  const asking = request({ path, headers: { ...headers, connection: "close" }, createConnection: () => socket });
  asking.on("error", () => {});
  asking.end();
  const [response] = (await once(asking, "response")) as [IncomingMessage];
  let text = "";
  response.setEncoding("utf8");
  for await (const chunk of response as AsyncIterable<string>) {
    text += chunk;
    if (text.length > answerBytesMax) break;
  }
  const pairs = Object.entries(response.headers).map(([name, value]) => [name, String(value)] as const);
  return { status: response.statusCode ?? 0, headers: new Map(pairs), text };
}
