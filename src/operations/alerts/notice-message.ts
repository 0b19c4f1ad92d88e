import * as v from "valibot";

/** The body of a message to the route for maintenance: a notice that is to be sent. Receivers' addresses stay here. */
export const noticeMessage = v.strictObject({ version: v.literal(1), alertNotice: v.pipe(v.string(), v.uuid()) });

/** Encodes a notice's id as that body. */
export function encodeNoticeMessage(alertNotice: string): string {
  return JSON.stringify({ version: 1, alertNotice } satisfies v.InferInput<typeof noticeMessage>);
}
