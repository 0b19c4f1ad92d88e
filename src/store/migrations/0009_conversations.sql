-- Conversations and messages as views of events, and what finds the events of a message or of a person.

-- NUL and lone surrogates, which `json` keeps and its operators refuse, as U+FFFD. Other characters are stored unescaped.
CREATE FUNCTION "readable"("data" json) RETURNS json IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN strpos("data"::text, '\u') = 0 THEN "data"
ELSE regexp_replace("data"::text, '(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})', '\1\\ufffd', 'gi')::json END;
--> statement-breakpoint
-- The part of the data that has an event's particulars: `message` of a message. An item of a change is its own part.
CREATE FUNCTION "particulars"("kind" text, "data" json) RETURNS json IMMUTABLE PARALLEL SAFE
RETURN coalesce("readable"("data") -> CASE "kind" WHEN 'message.edited' THEN 'message_edit' WHEN 'reaction' THEN 'reaction'
  WHEN 'read' THEN 'read' WHEN 'postback' THEN 'postback' ELSE 'message' END, "readable"("data"));
--> statement-breakpoint
-- The id of the message that an event is about. A readable key is `kind:account:mid`, perhaps with more behind it.
CREATE FUNCTION "message_id"("kind" text, "key" text, "data" json) RETURNS text IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN "key" LIKE '%:%:%' THEN nullif(split_part("key", ':', 3), '') ELSE "particulars"("kind", "data") ->> 'mid' END;
--> statement-breakpoint
-- The texts of a message that its id does not find through a key: edits, which are numbered, and those with a hashed key.
CREATE INDEX "events_hidden_message" ON "events" USING hash ("message_id"("kind", "key", "data"))
WHERE "kind" = 'message.edited' OR ("kind" IN ('message', 'message.echo', 'message.unsupported', 'postback') AND "key" NOT LIKE '%:%:%');
--> statement-breakpoint
-- What an account sent. Nearly every other event has its account as the recipient and is not in this index.
CREATE INDEX "events_recipient_id" ON "events" ("recipient_id", "id") WHERE "recipient_id" <> "account_id";
--> statement-breakpoint
CREATE INDEX "unsent_messages_at" ON "unsent_messages" USING brin ("at");
--> statement-breakpoint
-- Where an erasure that takes longer than one call goes on.
ALTER TABLE "data_deletions" ADD COLUMN "progress" json;
--> statement-breakpoint
-- One row per event of a conversation between an account and a person. Both arms begin with the index of one of the two ids.
CREATE VIEW "conversation_events" AS
WITH "found" AS (
  SELECT "account_id", "sender_id" AS "person_id", false AS "outbound", "id", "ingested_at", "occurred_at", "kind", "key", "data"
  FROM "events"
  WHERE "sender_id" <> "account_id" AND NOT "test"
    AND "kind" IN ('message', 'message.unsupported', 'message.deleted', 'message.edited', 'reaction', 'read', 'postback')
  UNION ALL
  SELECT "account_id", "recipient_id", true, "id", "ingested_at", "occurred_at", "kind", "key", "data"
  FROM "events"
  WHERE "recipient_id" <> "account_id" AND NOT "test" AND ("kind" = 'message.echo' OR ("sender_id" = "account_id"
    AND "kind" IN ('message', 'message.unsupported', 'message.deleted', 'message.edited', 'reaction', 'read', 'postback')))
)
SELECT "found".*, "message_id"("kind", "key", "data") AS "message_id", "particulars"("kind", "data") AS "particulars"
FROM "found";
--> statement-breakpoint
-- One row per message. Nothing in it depends on the order in which its events arrived: what decides is in the events.
CREATE VIEW "messages" AS
WITH "stated" AS (
  SELECT *, "kind" NOT IN ('message.deleted', 'message.edited', 'reaction', 'read') AS "original",
    -- An erased edit has its number in its key alone.
    CASE WHEN "kind" = 'message.edited' THEN coalesce(substring(
        CASE WHEN "key" LIKE '%:%:%' THEN split_part("key", ':', 4) ELSE "particulars" ->> 'num_edit' END FROM '^\d{1,6}$')::int, 1)
      WHEN "kind" NOT IN ('message.deleted', 'reaction', 'read') THEN 0 END AS "version"
  FROM "conversation_events"
), "grouped" AS (
  SELECT "account_id", "person_id", "message_id",
    bool_or("outbound") FILTER (WHERE "kind" NOT IN ('reaction', 'read')) AS "outbound",
    min("occurred_at") FILTER (WHERE "original") AS "sent_at",
    (array_agg("particulars" ORDER BY "key" COLLATE "C") FILTER (WHERE "original"))[1] AS "first",
    (array_agg(coalesce("particulars" ->> 'text', "particulars" ->> 'title')
        ORDER BY "version" DESC, "occurred_at" DESC NULLS LAST, "key" COLLATE "C")
      FILTER (WHERE coalesce("particulars" ->> 'text', "particulars" ->> 'title') IS NOT NULL AND "version" IS NOT NULL))[1] AS "text",
    coalesce(max("version"), 0) AS "edits",
    bool_or("kind" = 'message.deleted' OR coalesce("particulars" ->> 'erased', '') = 'unsent') AS "unsent",
    coalesce(jsonb_strip_nulls(jsonb_object_agg(CASE WHEN "outbound" THEN "account_id" ELSE "person_id" END,
        CASE WHEN coalesce("particulars" ->> 'action', "particulars" ->> 'verb') = 'react'
          THEN coalesce("particulars" ->> 'emoji', "particulars" ->> 'reaction', '') END
        ORDER BY "occurred_at" NULLS FIRST, "key" COLLATE "C") FILTER (WHERE "kind" = 'reaction')), '{}') AS "reactions",
    min("occurred_at") FILTER (WHERE "kind" = 'read' AND NOT "outbound") AS "read_at"
  FROM "stated"
  WHERE "message_id" IS NOT NULL
  GROUP BY "account_id", "person_id", "message_id"
), "seen" AS (
  -- Who has read a message has read the earlier ones.
  SELECT *, min("read_at") OVER (PARTITION BY "account_id", "person_id" ORDER BY coalesce("sent_at", "read_at") DESC NULLS LAST
    RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS "seen_at"
  FROM "grouped"
)
SELECT "account_id", "person_id", "message_id", CASE WHEN "outbound" THEN 'outbound' ELSE 'inbound' END AS "direction",
  "sent_at", "text", "edits", "unsent", "reactions",
  CASE WHEN "outbound" AND coalesce("sent_at", "read_at") IS NOT NULL THEN "seen_at" END AS "read_at",
  ARRAY(SELECT "item" ->> 'type' FROM json_array_elements(
    CASE WHEN json_typeof("first" -> 'attachments') = 'array' THEN "first" -> 'attachments' ELSE '[]' END)
    WITH ORDINALITY AS "list" ("item", "place") ORDER BY "place") AS "attachments",
  "first" -> 'reply_to' ->> 'mid' AS "reply_to",
  "first" -> 'reply_to' -> 'story' ->> 'id' AS "reply_to_story"
FROM "seen"
-- Of a message of which there is only a reaction or a reading nothing is known yet.
WHERE "outbound" IS NOT NULL;
--> statement-breakpoint
-- One row per account and person who wrote to each other. What was unsent does not count.
CREATE VIEW "conversations" AS
WITH "placed" AS (
  SELECT *, max("sent_at") FILTER (WHERE "direction" = 'outbound' AND NOT "unsent")
    OVER (PARTITION BY "account_id", "person_id") AS "answered_at"
  FROM "messages"
)
SELECT "account_id", "person_id",
  max("sent_at") FILTER (WHERE NOT "unsent") AS "last_message_at",
  (array_agg("message_id" ORDER BY "sent_at" DESC NULLS LAST, "message_id" COLLATE "C") FILTER (WHERE NOT "unsent"))[1] AS "last_message_id",
  (array_agg("direction" ORDER BY "sent_at" DESC NULLS LAST, "message_id" COLLATE "C") FILTER (WHERE NOT "unsent"))[1] AS "last_direction",
  (array_agg("text" ORDER BY "sent_at" DESC NULLS LAST, "message_id" COLLATE "C") FILTER (WHERE NOT "unsent"))[1] AS "last_text",
  count(*) FILTER (WHERE NOT "unsent")::int AS "messages",
  -- Messages of the person since the account's last one.
  count(*) FILTER (WHERE NOT "unsent" AND "direction" = 'inbound' AND ("answered_at" IS NULL OR "sent_at" > "answered_at"))::int AS "unanswered",
  -- Messages of the account that the person has not read.
  count(*) FILTER (WHERE NOT "unsent" AND "direction" = 'outbound' AND "read_at" IS NULL)::int AS "unread",
  max("read_at") AS "last_read_at"
FROM "placed"
GROUP BY "account_id", "person_id";
--> statement-breakpoint
-- The conversations of an account with a message that was stored since, newest first. It reads the events of that time, of
-- all accounts, and the whole of each conversation that it returns.
CREATE FUNCTION "newest_conversations"("of_account" text, "since" timestamptz, "count_max" integer) RETURNS SETOF "conversations" STABLE
BEGIN ATOMIC
  SELECT "conversation".* FROM (
    SELECT "account_id", "person_id" FROM "conversation_events"
    WHERE "ingested_at" >= "since" AND "account_id" = "of_account" AND "kind" NOT IN ('message.deleted', 'message.edited', 'reaction', 'read')
    GROUP BY "account_id", "person_id" ORDER BY max("occurred_at") DESC NULLS LAST, "person_id" LIMIT "count_max"
  ) AS "recent", LATERAL (
    SELECT * FROM "conversations" AS "one"
    WHERE "one"."account_id" = "recent"."account_id" AND "one"."person_id" = "recent"."person_id"
    -- Keeps the two conditions inside the views, where indexes answer them.
    OFFSET 0
  ) AS "conversation"
  ORDER BY "conversation"."last_message_at" DESC NULLS LAST, "conversation"."person_id";
END;
