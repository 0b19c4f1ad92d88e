-- Alerts: the state of each rule, and what is sent about it.

-- Deliveries that are not ingested, or not kept: few. A row that its first batch inserts never enters it.
CREATE INDEX "deliveries_unfinished" ON "deliveries" ("received_at") WHERE ("ingested_at" IS NULL OR "outcome" IN ('lost', 'refused'));
