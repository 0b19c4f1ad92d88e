import { ApiError } from "./api-error.ts";

/** The parameters of a query string or of a JSON body, each with all its values. */
export type QueryParameters = ReadonlyMap<string, readonly string[]>;

/** A condition for a `where` clause and its values, numbered from `$1`. */
export interface SqlFilter {
  where: string;
  values: unknown[];
}

/** One parameter's condition; `bind` gives a value its placeholder. */
export type Condition = (values: readonly string[], bind: (value: unknown) => string) => string;

/** The column equals any of the values, which may also be joined by commas. */
export function oneOf(expression: string): Condition {
  return (values, bind) => `${expression} = any(${bind(values.flatMap((value) => value.split(",")))}::text[])`;
}

/** Like `oneOf` for addresses, in which a comma may be just a character: the value as it is, or what it joins. */
function oneOfAddresses(expression: string): Condition {
  return (values, bind) =>
    `${expression} = any(${bind(values.flatMap((value) => [value, ...splitAddresses(value)]))}::text[])`;
}

/** At commas after which another address begins. */
function splitAddresses(value: string): string[] {
  return value.split(/,(?=\s*(?:https?:)?\/)/i).map((address) => address.trim());
}

/** The column compared with one whole number. */
export function compared(expression: string, operator: ">=" | "<="): Condition {
  return (values, bind) => `${expression} ${operator} ${bind(parseWhole(values[0]))}::bigint`;
}

/** The column equals any of the whole numbers. */
export function oneOfWholeNumbers(expression: string): Condition {
  return (values, bind) =>
    `${expression} = any(${bind(values.flatMap((value) => value.split(",")).map(parseWhole))}::bigint[])`;
}

/** Changes nothing: paging, and what QStash documents as ignored. */
export const ignored: Condition = () => "true";

/** Conditions every list has: where a message went, through what, who sent it and what it carries. */
export const commonConditions: Readonly<Record<string, Condition>> = {
  url: oneOfAddresses("url"),
  label: (values, bind) => `labels && ${bind(values.flatMap((value) => value.split(",")))}::text[]`,
  callerIp: oneOf("caller_ip"),
  callerIP: oneOf("caller_ip"),
  topicName: oneOf("topic_name"),
  scheduleId: oneOf("schedule_id"),
  queueName: oneOf("queue_name"),
  flowControlKey: oneOf("flow_control_key"),
};

/** Ids win over every other filter, as QStash's API reference says; only paging stays. */
export function idsOrFilters(parameters: QueryParameters, name: string): QueryParameters {
  const ids = parameters.get(name);
  if (!ids) return parameters;
  return new Map([...parameters].filter(([other]) => other === name || other === "count" || other === "cursor"));
}

/** Only some lists know these. */
export const hostAndPathConditions: Readonly<Record<string, Condition>> = {
  host: oneOf("substring(url from '^[^:]+://([^/?#]+)')"),
  path: oneOfAddresses("coalesce(nullif(substring(url from '^[^:]+://[^/?#]+([^?#]*)'), ''), '/')"),
};

/** Conditions joined by AND. An unknown parameter is refused: dropping it would widen what is listed or deleted. */
export function createFilter(parameters: QueryParameters, conditions: Readonly<Record<string, Condition>>): SqlFilter {
  const values: unknown[] = [];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const where = ["true"];
  for (const [name, given] of parameters) {
    const condition = Object.hasOwn(conditions, name) ? conditions[name] : undefined;
    if (condition === undefined) throw new ApiError(400, `unknown filter: ${name}`);
    // Postgres has no NUL in text.
    if (given.some((value) => value.includes("\0"))) throw new ApiError(400, `invalid filter: ${name}`);
    where.push(condition(given, bind));
  }
  return { where: where.join(" and "), values };
}

/** The page size asked for, between 1 and `max`, which is also the default. */
export function readCount(parameters: QueryParameters, max: number): number {
  const text = parameters.get("count")?.[0];
  return text === undefined ? max : Math.min(max, Math.max(1, parseWhole(text)));
}

function parseWhole(text: string | undefined): number {
  if (text === undefined || !/^\d{1,15}$/.test(text)) throw new ApiError(400, `not a whole number: ${text}`);
  return Number(text);
}
