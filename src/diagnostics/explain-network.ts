import type { Advice } from "./check.ts";

/** The variable that holds the address, or what else decides where it leads. */
export interface AddressSource {
  variable: string;
}

/** Why an address could not be reached, from what the system, Node or a library says. */
export function explainNetwork(error: unknown, { variable }: AddressSource): Advice {
  const code = networkCodeOf(error);
  const found = advice.find(({ codes }) => codes.test(code));
  const { cause, remedy } = found ?? unexpected;
  return { cause: `${cause}.`, remedy: `${remedy.replaceAll("{variable}", variable)}.` };
}

/**
 * The system's, Node's or Postgres' code for what went wrong: of the error, of what caused it, or of the first of
 * several addresses that were tried; where there is none, the kind of error.
 */
export function networkCodeOf(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at instanceof AggregateError ? at.errors[0] : at.cause) {
    const { code } = at as { code?: unknown };
    if (typeof code === "string") return code;
    if (at.name === "TimeoutError" || /^timeout expired$/.test(at.message)) return "ETIMEDOUT";
    if (/^Connection terminated|socket hang up/.test(at.message)) return "ECONNRESET";
  }
  return error instanceof Error && error.name !== "Error" ? error.name : "failed";
}

const checkAddress = "Check the host and the port in {variable}";

/** The first that fits counts. */
const advice: readonly ({ codes: RegExp } & Advice)[] = [
  {
    codes: /^ENOTFOUND$/,
    cause: "No host of that name is known: it is mistyped or gone, or there is no Internet here",
    remedy: "Check the host in {variable}, and that this machine can resolve any other name",
  },
  {
    codes: /^EAI_/,
    cause: "The name server did not answer",
    remedy: "Check this machine's network and DNS; the name in {variable} may be right",
  },
  {
    codes: /^ECONNREFUSED$/,
    cause: "Nothing listens at that address and port",
    remedy: "Start what should listen there, or correct {variable}",
  },
  {
    codes: /^(ETIMEDOUT|UND_ERR_\w*TIMEOUT)$/,
    cause: "No answer came: a firewall or a list of allowed addresses drops us, the port is wrong, or the server hangs",
    remedy: `${checkAddress}, and that the server admits connections from here`,
  },
  {
    codes: /^(ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL)$/,
    cause: "There is no way to that address, often because it has only IPv6 and this network only IPv4",
    remedy: "Use an address that IPv4 reaches (of a database, its pooler's) in {variable}, or another network",
  },
  {
    codes: /^CERT_HAS_EXPIRED$/,
    cause: "The server's certificate has expired",
    remedy: "Renew the certificate at the address in {variable}",
  },
  {
    codes: /^CERT_NOT_YET_VALID$/,
    cause: "The server's certificate is not valid yet: one of the two clocks is wrong",
    remedy: "Set this machine's clock, or wait until the certificate is valid",
  },
  {
    codes: /SELF_SIGNED/,
    cause: "The server's certificate is signed by itself or by an authority that nobody here knows",
    remedy:
      "Give the server a certificate of a public authority, or trust its own: NODE_EXTRA_CA_CERTS, or sslrootcert in a DATABASE_URL",
  },
  {
    codes: /^UNABLE_TO_|^CERT_/,
    cause: "The server's certificate cannot be verified, often because it sends it without the intermediate one",
    remedy: "Let the server at the address in {variable} send its whole chain of certificates",
  },
  {
    codes: /ALTNAME_INVALID/,
    cause: "The server's certificate is for another host name",
    remedy: "Use the name in the certificate in {variable}, or give the server a certificate for this one",
  },
  {
    codes: /^(EPROTO$|ERR_SSL_|ERR_TLS_)/,
    cause: "The other side does not speak TLS there, or no version of it that is still safe",
    remedy: "Check the scheme (https or http) and the port in {variable}",
  },
  {
    codes: /^(ECONNRESET|EPIPE|UND_ERR_SOCKET|HPE_\w+)$/,
    cause: "The other side closed the connection or speaks another protocol: a proxy, a firewall, or the wrong port",
    remedy: checkAddress,
  },
  {
    codes: /^TypeError$|^ERR_INVALID_/,
    cause: "The request could not even be written: an address or a token has a character that may not be there",
    remedy: "Set {variable} and the token again, copied anew",
  },
];

const unexpected: Advice = { cause: "The connection failed in an unexpected way", remedy: checkAddress };
