import { equalInConstantTime } from "#platform/bytes.ts";
import { RelayError } from "#platform/errors.ts";

/** The challenge that is echoed. Meta sends digits; a text that a browser could take for markup is refused. */
const challengePattern = /^[A-Za-z0-9_-]{1,256}$/;

/**
 * Meta's verification request: returns the challenge to answer with, byte for byte. Throws `HANDSHAKE_INVALID` if a
 * parameter is missing or malformed and `VERIFY_TOKEN_WRONG` for another token. Proxies that allow no dot in a name send
 * `hub_mode` for `hub.mode`. https://developers.facebook.com/docs/instagram-platform/webhooks
 */
export async function verifyHandshake(url: string, verifyToken: string): Promise<string> {
  const parameters = new URL(url).searchParams;
  const read = (name: string) => parameters.get(`hub.${name}`) ?? parameters.get(`hub_${name}`);
  const challenge = read("challenge");
  const token = read("verify_token");
  if (read("mode") !== "subscribe") throw new RelayError("HANDSHAKE_INVALID", "hub.mode must be subscribe");
  if (challenge === null || !challengePattern.test(challenge)) {
    throw new RelayError("HANDSHAKE_INVALID", "hub.challenge is missing or not 1 to 256 of A-Z a-z 0-9 _ -");
  }
  if (token === null) throw new RelayError("HANDSHAKE_INVALID", "hub.verify_token is missing");
  if (!(await equalInConstantTime(token, verifyToken))) {
    throw new RelayError("VERIFY_TOKEN_WRONG", "hub.verify_token is not the configured one");
  }
  return challenge;
}
