-- Tells at once whether a group has an unresolved dead letter, and since when: its state is read from that.
CREATE INDEX "dead_letters_unresolved" ON "dead_letters" ("group_id", "recorded_at") WHERE "resolved_at" IS NULL;
