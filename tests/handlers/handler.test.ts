import { expectTypeOf, test } from "vitest";

import type { Handler, HandlerEvent, Handlers } from "#handlers/handler.ts";
import type { Attachment } from "#instagram/data/attachment.ts";
import type { EventData } from "#instagram/data/event-data.ts";
import type { Message } from "#instagram/data/message.ts";
import type { EventKind, Json } from "#instagram/events.ts";

// The compiler is what tests here.
test("a handler's data is of its kind's type", () => {
  type Text = string | undefined;
  expectTypeOf<EventData>().toHaveProperty("message.edited");
  expectTypeOf<keyof EventData>().toEqualTypeOf<EventKind>();

  const message: Handler<"message"> = ({ data, drifted, kind }) => {
    expectTypeOf(kind).toEqualTypeOf<"message">();
    expectTypeOf(drifted).toEqualTypeOf<boolean>();
    expectTypeOf(data.message?.text).toEqualTypeOf<Text>();
    expectTypeOf(data.message?.attachments?.[0]).toExtend<Attachment | undefined>();
    expectTypeOf(data.message?.attachments?.[0]?.payload?.ig_post_media_id).toEqualTypeOf<
      string | number | undefined
    >();
    expectTypeOf(data.message?.reply_to?.story?.id).toEqualTypeOf<string | number | undefined>();
    expectTypeOf(data.sender?.id).toEqualTypeOf<string | number | undefined>();
    expectTypeOf(data.message ?? data).toExtend<Message>();
    expectTypeOf((data.message ?? data).mid).toEqualTypeOf<string>();
    // @ts-expect-error Misspelled.
    void data.message?.txet;
  };

  const handlers: Partial<Handlers> = {
    message,
    "message.edited": ({ data }) => {
      expectTypeOf(data.message_edit?.num_edit).toEqualTypeOf<string | number | undefined>();
    },
    reaction: ({ data }) => {
      expectTypeOf<"react">().toExtend<NonNullable<typeof data.reaction>["action"]>();
    },
    postback: ({ data }) => {
      expectTypeOf(data.postback?.payload).toEqualTypeOf<Text>();
      expectTypeOf(data.is_self).toEqualTypeOf<boolean | undefined>();
    },
    comment: ({ data }) => {
      expectTypeOf(data.from?.username).toEqualTypeOf<Text>();
      expectTypeOf(data.id ?? data.comment_id).toEqualTypeOf<string | number | undefined>();
    },
    handover: ({ data }) => {
      expectTypeOf(data.take_thread_control?.previous_owner_app_id).toEqualTypeOf<string | number | null | undefined>();
      expectTypeOf(data.app_roles?.["1"]).toEqualTypeOf<string[] | undefined>();
    },
    story_insights: ({ data }) => {
      expectTypeOf(data.reach).toEqualTypeOf<number | undefined>();
    },
    unknown: ({ data }) => {
      expectTypeOf(data).toEqualTypeOf<Json>();
    },
  };
  void handlers;
});

test("a function of every kind tells the data by its kind", () => {
  const any = (event: HandlerEvent) => {
    if (event.kind === "comment") expectTypeOf(event.data.text).toEqualTypeOf<string | undefined>();
    if (event.kind === "mention") expectTypeOf(event.data.media_id).toEqualTypeOf<string | number>();
  };
  expectTypeOf(any).toExtend<Handlers["message"]>();
});
