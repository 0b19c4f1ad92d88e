import { BlockList, isIP } from "node:net";

/** https://www.rfc-editor.org/rfc/rfc6890 */
const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");
const privateNetworks = new BlockList();
for (const [net, prefix] of [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["169.254.0.0", 16],
  ["100.64.0.0", 10],
] as const) {
  privateNetworks.addSubnet(net, prefix, "ipv4");
}
privateNetworks.addSubnet("fc00::", 7, "ipv6");
privateNetworks.addSubnet("fe80::", 10, "ipv6");

/**
 * The network that a request came from: an IPv4 address, or the /64 network of an IPv6 address, which one subscriber has.
 * `unknown` without the header.
 *
 * Each proxy appends to `X-Forwarded-For` the address that called it, and our server appends the last one. So the list is
 * read from its end: a client can only write its beginning. Private addresses at the end are our own proxies. Vercel
 * replaces the header with the client's address.
 * https://vercel.com/docs/headers/request-headers#x-forwarded-for
 */
export function clientNetwork(headers: Headers): string {
  const hops = (headers.get("x-forwarded-for") ?? "")
    .split(",")
    .map((hop) => hop.trim().replace(/^::ffff:(?=\d+\.)/i, ""))
    .filter((hop) => isIP(hop) !== 0);
  const client =
    hops.findLast((hop) => !isIn(privateNetworks, hop) && !isIn(loopback, hop)) ??
    hops.findLast((hop) => !isIn(loopback, hop)) ??
    hops.at(-1);
  return client === undefined ? "unknown" : isIP(client) === 6 ? subscriberOf(client) : client;
}

/** The network as it is recorded: of an IPv4 address its /24, so that no single subscriber is. */
export function clientPrefix(headers: Headers): string {
  const network = clientNetwork(headers);
  return isIP(network) === 4 ? `${network.split(".").slice(0, 3).join(".")}.0/24` : network;
}

function isIn(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

function subscriberOf(address: string): string {
  const [head = "", tail = ""] = address.toLowerCase().replace(/%.*$/, "").split("::");
  const front = head.split(":").filter((group) => group !== "");
  const back = tail.split(":").filter((group) => group !== "");
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => "0");
  const groups = [...front, ...zeros, ...back].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}
