/**
 * The package's main entry: a receiver of Instagram webhooks for any runtime with `Request`, `Response` and Web Crypto, and
 * the functions it is made of.
 */
export type { EventData } from "#instagram/data/event-data.ts";
export { type EventKind, eventKinds, type Json } from "#instagram/events.ts";
export { verifyHandshake } from "#instagram/handshake.ts";
export { isSignedRequest } from "#instagram/is-signed-request.ts";
export { createSignatureVerifier, isSignature, signBody, type SignatureVerifier } from "#instagram/signature.ts";
export { type Clock, systemClock } from "#platform/clock.ts";
export { type ErrorCode, RelayError } from "#platform/errors.ts";

export { createReceiver, type Delivery, type ReceiverOptions } from "./create-receiver.ts";
export type { EventFacts, InstagramEvent } from "./instagram-event.ts";
export { parseEvents } from "./parse-events.ts";
