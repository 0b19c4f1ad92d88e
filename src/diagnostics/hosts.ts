import { BlockList, isIP } from "node:net";

const loopback = createBlockList(["127.0.0.0", 8, "ipv4"], ["::1", 128, "ipv6"]);
/** RFC 1918 and RFC 6598, RFC 4193 and link-local addresses. */
const privateNetworks = createBlockList(
  ["10.0.0.0", 8, "ipv4"],
  ["100.64.0.0", 10, "ipv4"],
  ["169.254.0.0", 16, "ipv4"],
  ["172.16.0.0", 12, "ipv4"],
  ["192.168.0.0", 16, "ipv4"],
  ["fc00::", 7, "ipv6"],
  ["fe80::", 10, "ipv6"],
);

/** The host of a URL as Node's network functions take it: an IPv6 address without brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

/** Whether the host is this machine, by name or address. */
export function isLoopback(host: string): boolean {
  return /(^|\.)localhost$/i.test(host) || isListed(loopback, host);
}

/** Whether the host is an address that only this machine or network can reach; false for a name that is not resolved yet. */
export function isPrivate(host: string): boolean {
  return isLoopback(host) || isListed(privateNetworks, host);
}

function isListed(list: BlockList, host: string): boolean {
  const family = isIP(host);
  return family !== 0 && list.check(host, family === 6 ? "ipv6" : "ipv4");
}

function createBlockList(...subnets: [string, number, "ipv4" | "ipv6"][]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) list.addSubnet(...subnet);
  return list;
}
