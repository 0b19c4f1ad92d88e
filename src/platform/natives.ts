/**
 * Functions of the language that run for every event, looked up once. Where code runs in a `node:vm` context, as edge
 * routes do under `next start`, reading a global goes through the context and takes 0.2 to 0.4 µs: a dozen of them for
 * each event would be most of what parsing costs.
 */
export const { isArray } = Array;
export const { isFinite, isInteger, isSafeInteger } = Number;
export const { hasOwn, keys } = Object;
export const { round } = Math;
export const { parse, stringify } = JSON;
export const toNumber = Number;
export const toText = String;
