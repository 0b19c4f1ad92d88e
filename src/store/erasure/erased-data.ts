// What is left of an erased event. The function `relay.ingest` stores the same of one that arrives after its erasure.

/** The `data` of an event whose message was unsent. */
export const unsentData = JSON.stringify({ erased: "unsent" });

/** The `data` of an event of a person whose data was erased. */
export const deletedData = JSON.stringify({ erased: "data-deletion" });

/** SQL: a key without the ids that it may hold. What makes an event the same event is kept in `event_keys`. */
export const hashedKey = "kind || ':' || encode(sha256(convert_to(key, 'UTF8')), 'hex')";
