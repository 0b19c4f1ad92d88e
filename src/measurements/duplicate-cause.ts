/**
 * Why an event came again. `delivery`: Meta sent it in another delivery; `qstash`: QStash delivered its batch again;
 * `fallback`: QStash and the fallback both brought its batch.
 */
export const duplicateCauses = ["delivery", "qstash", "fallback"] as const;
