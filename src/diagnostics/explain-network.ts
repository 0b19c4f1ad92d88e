import type { Advice } from "./check.ts";
import { type AdviceRule, findAdvice } from "./find-advice.ts";

/** The variable that holds the address, or what else decides where it leads. */
export interface AddressSource {
  variable: string;
}

/** Why an address could not be reached, from what the system, Node or a library says. */
export function explainNetwork(error: unknown, { variable }: AddressSource): Advice {
  const { cause, remedy } = findAdvice(rules, networkCodeOf(error), unexpected);
  return { cause, remedy: remedy.replaceAll("{variable}", variable) };
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

const rules: readonly AdviceRule[] = [
  {
    when: /^ENOTFOUND$/,
    cause: "No host of that name is known: it is mistyped or gone, or there is no Internet here.",
    remedy: "Check the host in {variable}, and that this machine can resolve any other name.",
  },
  {
    when: /^EAI_/,
    cause: "The name server did not answer.",
    remedy: "Check this machine's network and DNS; the name in {variable} may be right.",
  },
  {
    when: /^ECONNREFUSED$/,
    cause: "Nothing listens at that address and port.",
    remedy: "Start what should listen there, or correct {variable}.",
  },
  {
    when: /^(ETIMEDOUT|UND_ERR_\w*TIMEOUT)$/,
    cause:
      "No answer came: a firewall or a list of allowed addresses drops us, the port is wrong, or the server hangs.",
    remedy: `${checkAddress}, and that the server admits connections from here.`,
  },
  {
    when: /^(ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL)$/,
    cause: "There is no way to that address, often because it has only IPv6 and this network only IPv4.",
    remedy: "Use an address that IPv4 reaches (of a database, its pooler's) in {variable}, or another network.",
  },
  {
    when: /^CERT_HAS_EXPIRED$/,
    cause: "The server's certificate has expired.",
    remedy: "Renew the certificate at the address in {variable}.",
  },
  {
    when: /^CERT_NOT_YET_VALID$/,
    cause: "The server's certificate is not valid yet: one of the two clocks is wrong.",
    remedy: "Set this machine's clock, or wait until the certificate is valid.",
  },
  {
    when: /SELF_SIGNED/,
    cause: "The server's certificate is signed by itself or by an authority that nobody here knows.",
    remedy:
      "Give the server a certificate of a public authority, or trust its own: NODE_EXTRA_CA_CERTS, or sslrootcert in a DATABASE_URL.",
  },
  {
    when: /^UNABLE_TO_|^CERT_/,
    cause: "The server's certificate cannot be verified, often because it sends it without the intermediate one.",
    remedy: "Let the server at the address in {variable} send its whole chain of certificates.",
  },
  {
    when: /ALTNAME_INVALID/,
    cause: "The server's certificate is for another host name.",
    remedy: "Use the name in the certificate in {variable}, or give the server a certificate for this one.",
  },
  {
    when: /^(EPROTO$|ERR_SSL_|ERR_TLS_)/,
    cause: "The other side does not speak TLS there, or no version of it that is still safe.",
    remedy: "Check the scheme (https or http) and the port in {variable}.",
  },
  {
    when: /^(ECONNRESET|EPIPE|UND_ERR_SOCKET|HPE_\w+)$/,
    cause: "The other side closed the connection or speaks another protocol: a proxy, a firewall, or the wrong port.",
    remedy: `${checkAddress}.`,
  },
  {
    when: /^TypeError$|^ERR_INVALID_/,
    cause: "The request could not even be written: an address or a token has a character that may not be there.",
    remedy: "Set {variable} and the token again, copied anew.",
  },
];

const unexpected: Advice = { cause: "The connection failed in an unexpected way.", remedy: `${checkAddress}.` };
