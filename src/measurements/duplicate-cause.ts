/**
 * Why an event came again. `delivery`: Meta sent it in another delivery; `qstash`: the queue delivered its batch again;
 * `fallback`: the queue and the fallback both brought its batch.
 */
export const duplicateCauses = ["delivery", "qstash", "fallback"] as const;
