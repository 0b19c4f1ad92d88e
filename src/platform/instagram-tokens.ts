/** An access token of Instagram's API, for one account. */
export interface InstagramToken {
  /** The account that the operator says it belongs to; null if none is said. */
  accountId: string | null;
  token: string;
}

/**
 * Reads one token, or several as `accountId=token`, separated by commas; undefined if the text is neither. Two tokens of
 * one account, or one without its account among several, would leave open which is used.
 */
export function parseInstagramTokens(text: string): readonly InstagramToken[] | undefined {
  const items = text.split(",").map((item) => item.trim());
  const tokens = items.map(parseItem);
  const ids = tokens.map((one) => one?.accountId);
  const isClear = tokens.length === 1 || (!ids.includes(null) && new Set(ids).size === ids.length);
  return isClear && tokens.every((one) => one !== undefined) ? tokens : undefined;
}

function parseItem(item: string): InstagramToken | undefined {
  const [, accountId = null, token = ""] = /^(?:(\d{1,30})=)?([\w|.~-]{20,2000})$/.exec(item) ?? [];
  return token === "" ? undefined : { accountId, token };
}
