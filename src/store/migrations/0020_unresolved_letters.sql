-- Tell at once whether a group has an unresolved dead letter, since when, and who resolved its last: its state is read from that.
CREATE INDEX "dead_letters_unresolved" ON "dead_letters" ("group_id", "recorded_at") WHERE "resolved_at" IS NULL;
--> statement-breakpoint
CREATE INDEX "dead_letters_resolved" ON "dead_letters" ("group_id", "resolved_at") WHERE "resolved_at" IS NOT NULL;
