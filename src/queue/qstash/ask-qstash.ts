import { RelayError } from "#platform/errors.ts";
import { parseJson } from "#platform/parse-json.ts";
import { isSuccess, type QstashApi } from "#platform/qstash-api.ts";

/**
 * QStash's answer to one request, as JSON; null for a 404. Throws `QSTASH_UNAVAILABLE` for any other refusal and if it
 * cannot be reached.
 */
export async function askQstash(
  api: QstashApi,
  method: "GET" | "POST" | "DELETE",
  path: string,
  headers?: Record<string, string>,
): Promise<unknown> {
  const { status, text } = await send();
  if (status === 404) return null;
  if (!isSuccess(status)) throw new RelayError("QSTASH_UNAVAILABLE", `QStash answered ${status}`);
  return parseJson(text) ?? {};

  async function send() {
    try {
      return await api(method, path, headers);
    } catch (thrown) {
      throw new RelayError("QSTASH_UNAVAILABLE", "QStash cannot be reached", { cause: thrown });
    }
  }
}
