-- The two calls of a delivery, as functions: Postgres keeps the plan of each of their small statements in the session, while
-- one large statement would prepare all that it may need at every call. Every name is qualified, because the caller's search
-- path is unknown. An earlier release may still call a function: one whose parameters or result change gets a new name.

-- Notes which of these deliveries have every batch stored and every event handled: a dead one still has its row in `event_work`.
-- A batch's events have ids within a narrow range, so that no index on the delivery is needed.
CREATE FUNCTION "mark_handled"("p_delivery_ids" uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  -- Changes nothing, but waits for other calls that end something of the same deliveries, or lets them wait: else each of two
  -- could find open what the other one has ended and not committed yet.
  UPDATE relay.deliveries SET handled_at = NULL WHERE id = ANY (p_delivery_ids) AND handled_at IS NULL;
  UPDATE relay.deliveries d SET handled_at = now()
  WHERE d.id = ANY (p_delivery_ids) AND d.handled_at IS NULL AND d.via IS NOT NULL
    AND NOT EXISTS (SELECT FROM relay.event_work w
      WHERE w.event_id BETWEEN d.first_event_id AND d.last_event_id AND w.delivery_id = d.id)
    AND (d.batches = 1 OR d.batches = 1 + (SELECT count(*) FROM relay.delivery_batches b
      WHERE b.delivery_id = d.id AND NOT EXISTS (SELECT FROM relay.event_work w
        WHERE w.event_id BETWEEN b.first_event_id AND b.last_event_id AND w.delivery_id = d.id)));
END $$;
--> statement-breakpoint
-- Stores what is new of a batch, with leases for the handlers of its events, and leases what is known, open and due.
-- The order keeps two batches with common events from a deadlock: keys in the order of their hashes, then the rows of the
-- delivery, then those of known events. Each statement sees what others have committed before it.
-- "p_record": what records the batch: `first`, the delivery's row; `later`, a row of `delivery_batches`; `none`, nothing yet.
-- Arrays hold a value for each event, in the order of the batch; those of findings a value for each difference, with the event's
-- place from 1. "p_stored_ids": events of the batch that earlier calls of the same transaction have stored. A batch for which
-- the defaults hold, as for most, leaves those parameters out.
CREATE FUNCTION "ingest"(
  "p_hashes" uuid[],
  "p_unsent_hashes" uuid[],
  "p_keys" text[],
  "p_kinds" text[],
  "p_account_ids" text[],
  "p_sender_ids" text[],
  "p_recipient_ids" text[],
  "p_occurred_ms" float8[],
  "p_sent_ms" float8[],
  "p_flags" smallint[],
  "p_data" json,
  "p_conversations" text[],
  "p_delivery_id" uuid,
  "p_events" integer,
  "p_lease_ms" integer,
  "p_lease_id" uuid,
  "p_delivered_at" timestamptz,
  "p_ingest_ms" real,
  "p_message_id" text,
  "p_via" text,
  "p_received_at" timestamptz,
  "p_body_bytes" integer,
  "p_runtime" text,
  "p_region" text,
  "p_deployment" text,
  "p_ack_ms" real,
  "p_publish_started_at" timestamptz,
  "p_facts" json,
  "p_first_facts" json,
  "p_record" text DEFAULT 'first',
  "p_stored_ids" bigint[] DEFAULT '{}',
  "p_finding_places" integer[] DEFAULT '{}',
  "p_findings" text[] DEFAULT '{}',
  "p_finding_paths" text[] DEFAULT '{}',
  "p_finding_shapes" text[] DEFAULT '{}',
  "p_batch_index" smallint DEFAULT 0,
  "p_batches" smallint DEFAULT 1,
  "p_retried" smallint DEFAULT 0,
  "p_trace_id" uuid DEFAULT NULL,
  "p_cold_start" boolean DEFAULT false,
  "p_probe" boolean DEFAULT false
) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  v_events integer := cardinality(p_hashes);
  -- By place: the id of a new event, null of one that is known.
  v_ids bigint[] := '{}';
  -- By place: whether the event is stored without its content. Null if none is.
  v_erased boolean[];
  v_new integer := 0;
  -- How many of the new events are to be handled.
  v_worked integer := 0;
  v_first_id bigint;
  v_last_id bigint;
  v_lease_until timestamptz := now() + p_lease_ms * interval '1 millisecond';
  v_ingest_ms real;
  -- How many are new, by kind; null if all are.
  v_inserted json;
  v_recorded boolean := false;
  v_reported boolean := false;
  v_outcome text;
  v_known json;
BEGIN
  IF v_events > 0 THEN
    IF v_events = 1 THEN
      v_ids := ARRAY[nextval('relay.event_ids')];
      INSERT INTO relay.event_keys (hash, event_id) VALUES (p_hashes[1], v_ids[1]) ON CONFLICT DO NOTHING;
      GET DIAGNOSTICS v_new = ROW_COUNT;
    ELSE
      v_ids := ARRAY(SELECT nextval('relay.event_ids') FROM generate_series(1, v_events));
      -- Mostly every key is new, and with `ON CONFLICT` each one would be looked up before it is inserted.
      BEGIN
        INSERT INTO relay.event_keys (hash, event_id)
        SELECT hash, id FROM (SELECT unnest(p_hashes) AS hash, unnest(v_ids) AS id) e ORDER BY hash;
        v_new := v_events;
      EXCEPTION WHEN unique_violation THEN
        INSERT INTO relay.event_keys (hash, event_id)
        SELECT hash, id FROM (SELECT unnest(p_hashes) AS hash, unnest(v_ids) AS id) e ORDER BY hash
        ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS v_new = ROW_COUNT;
      END;
    END IF;
    IF v_new < v_events THEN
      v_ids := ARRAY(SELECT (SELECT k.event_id FROM relay.event_keys k WHERE k.hash = e.hash AND k.event_id = e.id)
        FROM unnest(p_hashes, v_ids) WITH ORDINALITY e (hash, id, place) ORDER BY place);
    END IF;
  END IF;

  IF v_new > 0 THEN
    IF EXISTS (SELECT FROM relay.erased_people)
      OR EXISTS (SELECT FROM relay.unsent_messages m WHERE m.hash = ANY (p_unsent_hashes)) THEN
      SELECT array_agg(unsent OR true = ANY (erased)),
        array_agg(CASE WHEN erased[1] THEN '' ELSE account_id END),
        array_agg(CASE WHEN erased[2] THEN NULL ELSE sender_id END),
        array_agg(CASE WHEN erased[3] THEN NULL ELSE recipient_id END),
        -- A key may hold the person's id. What makes an event the same event is kept in `event_keys`.
        array_agg(CASE WHEN true = ANY (erased) THEN kind || ':' || encode(sha256(convert_to(key, 'UTF8')), 'hex') ELSE key END),
        json_agg(CASE WHEN true = ANY (erased) THEN '{"erased":"data-deletion"}' WHEN unsent THEN '{"erased":"unsent"}' ELSE data END)
      INTO v_erased, p_account_ids, p_sender_ids, p_recipient_ids, p_keys, p_data
      FROM (
        SELECT e.*, EXISTS (SELECT FROM relay.unsent_messages m WHERE m.hash = unsent_hash) AS unsent,
          ARRAY(SELECT EXISTS (SELECT FROM relay.erased_people p WHERE p.requested_at > p_received_at
              AND p.hash = encode(substring(sha256(convert_to(person, 'UTF8')) FOR 16), 'hex')::uuid)
            FROM unnest(ARRAY[account_id, sender_id, recipient_id]) person) AS erased
        FROM ROWS FROM (unnest(p_unsent_hashes), unnest(p_kinds), unnest(p_account_ids), unnest(p_sender_ids),
            unnest(p_recipient_ids), unnest(p_keys), json_array_elements(p_data))
          WITH ORDINALITY e (unsent_hash, kind, account_id, sender_id, recipient_id, key, data, place)
        ORDER BY place
      ) e;
    END IF;
    INSERT INTO relay.events (id, ingested_at, occurred_at, sent_at, erased_at, delivery_id, batch_index, standby, test,
      drifted, kind, account_id, sender_id, recipient_id, key, data)
    SELECT id, now(), to_timestamp(occurred_ms / 1000), to_timestamp(sent_ms / 1000), CASE WHEN erased THEN now() END, p_delivery_id, p_batch_index,
      flags & 1 <> 0, flags & 2 <> 0, flags & 4 <> 0, kind, account_id, sender_id, recipient_id, key, data
    FROM (
      SELECT unnest(v_ids) AS id, unnest(v_erased) AS erased, unnest(p_occurred_ms) AS occurred_ms,
        unnest(p_sent_ms) AS sent_ms, unnest(p_flags) AS flags, unnest(p_kinds) AS kind, unnest(p_account_ids) AS account_id,
        unnest(p_sender_ids) AS sender_id, unnest(p_recipient_ids) AS recipient_id, unnest(p_keys) AS key, json_array_elements(p_data) AS data
    ) e
    WHERE id IS NOT NULL;
    INSERT INTO relay.event_work (event_id, delivery_id, batch_index, attempts, fence, leased_until, lease_id, next_attempt_at,
      kind, conversation)
    SELECT id, p_delivery_id, p_batch_index, 1, 1, v_lease_until, p_lease_id, now(), kind, conversation
    FROM (
      SELECT unnest(v_ids) AS id, unnest(v_erased) AS erased, unnest(p_kinds) AS kind, unnest(p_conversations) AS conversation
    ) e
    WHERE id IS NOT NULL AND erased IS NOT true;
    GET DIAGNOSTICS v_worked = ROW_COUNT;
    IF cardinality(p_findings) > 0 THEN
      INSERT INTO relay.drift_findings (kind, path, finding, shape, count, seen_at, event_id)
      SELECT p_kinds[place], path, finding, shape, 1, p_delivered_at, v_ids[place]
      FROM unnest(p_finding_places, p_findings, p_finding_paths, p_finding_shapes) d (place, finding, path, shape)
      WHERE v_ids[place] IS NOT NULL;
    END IF;
  END IF;

  IF p_record <> 'none' THEN
    IF cardinality(p_stored_ids) > 0 THEN
      v_new := cardinality(p_stored_ids);
      SELECT count(*) INTO v_worked FROM relay.event_work WHERE event_id = ANY (p_stored_ids);
      SELECT min(first_id), max(last_id), json_object_agg(kind, n) INTO v_first_id, v_last_id, v_inserted
      FROM (SELECT kind, count(*) AS n, min(id) AS first_id, max(id) AS last_id FROM relay.events
        WHERE id = ANY (p_stored_ids) GROUP BY kind) k;
    ELSIF v_new = p_events THEN
      v_first_id := v_ids[1];
      v_last_id := v_ids[v_events];
    ELSE
      SELECT min(first_id), max(last_id), coalesce(json_object_agg(kind, n), '{}') INTO v_first_id, v_last_id, v_inserted
      FROM (SELECT kind, count(*) AS n, min(id) AS first_id, max(id) AS last_id FROM unnest(v_ids, p_kinds) e (id, kind)
        WHERE id IS NOT NULL GROUP BY kind) k;
    END IF;
    v_ingest_ms := p_ingest_ms + extract(epoch FROM clock_timestamp() - statement_timestamp()) * 1000;
  END IF;

  IF p_record = 'first' THEN
    -- Not `ON CONFLICT DO UPDATE`, which looks up the partition's indexes in the catalog at each call.
    BEGIN
      INSERT INTO relay.deliveries (id, received_at, body_bytes, cold_start, probe, runtime, region, deployment, ack_ms,
        publish_started_at, via, batches, retried, inserted, duplicates, ingest_ms, first_event_id, last_event_id, delivered_at,
        ingested_at, handled_at, message_id, trace_id)
      VALUES (p_delivery_id, p_received_at, p_body_bytes, p_cold_start, p_probe, p_runtime, p_region, p_deployment, p_ack_ms,
        p_publish_started_at, p_via, p_batches, p_retried, v_new, p_events - v_new, v_ingest_ms, v_first_id, v_last_id,
        p_delivered_at, now(), CASE WHEN v_worked = 0 AND p_batches = 1 THEN now() END, p_message_id, p_trace_id);
      v_recorded := true;
    EXCEPTION WHEN unique_violation THEN
      -- The row was made by the report or by a later batch; else this batch was stored before.
      UPDATE relay.deliveries d SET via = p_via, batches = p_batches, retried = p_retried, inserted = v_new,
        duplicates = p_events - v_new, ingest_ms = v_ingest_ms, first_event_id = v_first_id, last_event_id = v_last_id,
        delivered_at = p_delivered_at, ingested_at = now(),
        handled_at = CASE WHEN v_worked = 0 AND p_batches = 1 THEN now() END, message_id = p_message_id, trace_id = p_trace_id,
        probe = d.probe OR p_probe, deployment = coalesce(d.deployment, p_deployment), ack_ms = coalesce(d.ack_ms, p_ack_ms),
        publish_started_at = coalesce(d.publish_started_at, p_publish_started_at)
      WHERE d.id = p_delivery_id AND d.via IS NULL
      RETURNING reported_at IS NOT NULL, outcome INTO v_reported, v_outcome;
      v_recorded := FOUND;
      -- Under `repeatable read` a row that was committed meanwhile is not seen: the caller tries again.
      IF NOT v_recorded AND NOT EXISTS (SELECT FROM relay.deliveries d WHERE d.id = p_delivery_id) THEN
        RAISE serialization_failure;
      END IF;
    END;
    -- What the report counted is not counted again. A delivery that was reported as lost is complete now: only the answer to
    -- the forward was lost.
    IF v_reported THEN
      p_first_facts := CASE
        WHEN v_outcome = 'lost' AND p_batches = 1 + (SELECT count(*) FROM relay.delivery_batches b WHERE b.delivery_id = p_delivery_id)
        THEN '{"counts":[["outcome",1,"fallback"],["correction",1,"lost"]]}' END;
    END IF;
  ELSIF p_record = 'later' THEN
    INSERT INTO relay.delivery_batches (delivery_id, batch_index, retried, inserted, duplicates, ingest_ms, first_event_id,
      last_event_id, delivered_at, ingested_at, message_id)
    VALUES (p_delivery_id, p_batch_index, p_retried, v_new, p_events - v_new, v_ingest_ms, v_first_id, v_last_id, p_delivered_at,
      now(), p_message_id)
    ON CONFLICT DO NOTHING;
    v_recorded := FOUND;
    p_first_facts := NULL;
    IF v_recorded THEN
      IF EXISTS (SELECT FROM relay.deliveries d WHERE d.id = p_delivery_id AND d.outcome = 'lost' AND d.via IS NOT NULL
        AND d.batches = 1 + (SELECT count(*) FROM relay.delivery_batches b WHERE b.delivery_id = p_delivery_id)) THEN
        p_first_facts := '{"counts":[["outcome",1,"fallback"],["correction",1,"lost"]]}';
      END IF;
      INSERT INTO relay.deliveries (id, received_at, body_bytes, cold_start, probe, runtime, region, deployment, ack_ms,
        publish_started_at)
      VALUES (p_delivery_id, p_received_at, p_body_bytes, p_cold_start, p_probe, p_runtime, p_region, p_deployment, p_ack_ms,
        p_publish_started_at)
      ON CONFLICT DO NOTHING;
    END IF;
  END IF;

  IF v_recorded THEN
    INSERT INTO relay.measurements (at, runtime, region, deployment, cold, probe, facts, first_facts, ingest_ms, inserted)
    VALUES (least(p_received_at, now()), p_runtime, p_region, p_deployment, p_cold_start, p_probe, p_facts, p_first_facts,
      v_ingest_ms, CASE WHEN v_new <> p_events THEN v_inserted END);
    IF p_batches > 1 AND v_worked = 0 THEN
      PERFORM relay.mark_handled(ARRAY[p_delivery_id]);
    END IF;
  END IF;

  IF v_new < v_events THEN
    WITH known AS MATERIALIZED (
      SELECT place, (SELECT k.event_id FROM relay.event_keys k WHERE k.hash = e.hash) AS event_id
      FROM unnest(p_hashes, v_ids) WITH ORDINALITY e (hash, id, place) WHERE id IS NULL
    ), free AS MATERIALIZED (
      SELECT known.place, w.event_id, w.is_own, NOT w.is_own AND (w.deaths > 0 OR w.leased_until IS NOT NULL) AS risky
      FROM known CROSS JOIN LATERAL (
        -- Its own: this call leased it before, and the answer was lost.
        SELECT event_id, deaths, leased_until, coalesce(lease_id = p_lease_id, false) AS is_own FROM relay.event_work w
        WHERE w.event_id = known.event_id AND state = 'open'
          AND (coalesce(lease_id = p_lease_id, false) OR next_attempt_at <= now() AND (leased_until IS NULL OR leased_until <= now()))
        FOR UPDATE SKIP LOCKED
      ) w
      ORDER BY w.event_id
    ), leased AS (
      UPDATE relay.event_work w
      SET attempts = attempts + (NOT free.is_own)::integer, fence = fence + (NOT free.is_own)::integer, lease_id = p_lease_id,
        leased_until = v_lease_until, queued_until = NULL
      FROM free WHERE w.event_id = free.event_id AND NOT free.risky
      RETURNING free.is_own, w.event_id, w.fence, w.attempts, w.delivery_id, w.batch_index, w.replay_id
    ), links AS (
      -- At most four, beside the delivery that brought the event: a captured delivery can be sent again for ever. A batch that
      -- is repeated may find events that it brought itself.
      INSERT INTO relay.duplicate_events (delivery_id, event_id)
      SELECT p_delivery_id, event_id FROM known
      WHERE event_id IS NOT NULL AND (v_recorded OR NOT EXISTS (SELECT FROM relay.deliveries d
            WHERE d.id = p_delivery_id AND p_batch_index = 0 AND known.event_id BETWEEN d.first_event_id AND d.last_event_id)
          AND NOT EXISTS (SELECT FROM relay.delivery_batches b WHERE b.delivery_id = p_delivery_id
            AND b.batch_index = p_batch_index AND known.event_id BETWEEN b.first_event_id AND b.last_event_id))
        AND (SELECT count(*) FROM (SELECT FROM relay.duplicate_events d WHERE d.event_id = known.event_id LIMIT 4) d) < 4
      ORDER BY event_id ON CONFLICT DO NOTHING
    )
    SELECT json_agg(CASE
      WHEN leased.is_own AND leased.fence = 1 THEN json_build_array(place, known.event_id, 'new')
      WHEN leased.event_id IS NOT NULL THEN json_build_array(place, known.event_id, 'leased', leased.fence, leased.attempts,
        leased.delivery_id, leased.batch_index,
        (SELECT json_build_object('id', r.id, 'mode', r.mode, 'reason', r.reason) FROM relay.replays r WHERE r.id = leased.replay_id))
      WHEN free.risky THEN json_build_array(place, known.event_id, 'risky')
      ELSE json_build_array(place, known.event_id, 'known') END)
    INTO v_known
    FROM known LEFT JOIN free USING (place) LEFT JOIN leased ON leased.event_id = known.event_id
    WHERE known.event_id IS NOT NULL;
  END IF;

  RETURN json_build_object('recorded', v_recorded, 'ids', v_ids, 'erased', v_erased, 'known', v_known);
END $$;
--> statement-breakpoint
-- Stores that the first attempts of events of one delivery have succeeded, as "settle" would. Nothing can be too late for that,
-- so the result is always null. A repeated call counts nothing twice.
CREATE FUNCTION "settle_first_successes"(
  "p_ids" bigint[],
  "p_delivery_id" uuid,
  "p_own_ms" real,
  "p_count_names" text[],
  "p_counts" bigint[],
  "p_deployment" text,
  "p_facts" json
) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  v_settled integer;
  v_is_new boolean;
  v_is_handled boolean;
  v_runtime text;
  v_region text;
  v_cold boolean;
  v_probe boolean;
BEGIN
  IF cardinality(p_ids) = 1 THEN
    DELETE FROM relay.event_work WHERE event_id = p_ids[1] AND fence = 1;
  ELSE
    -- The ids ascend. The planner mostly finds the table of open work empty, and then would read the whole of it for an array; a
    -- range is one search of the index, and `+ 0` keeps the array away from it.
    DELETE FROM relay.event_work
    WHERE event_id BETWEEN p_ids[1] AND p_ids[cardinality(p_ids)] AND event_id + 0 = ANY (p_ids) AND fence = 1;
  END IF;
  GET DIAGNOSTICS v_settled = ROW_COUNT;
  IF v_settled < cardinality(p_ids) THEN
    -- This call comes again, or so late that another process has leased events meanwhile, and perhaps made dead letters of them.
    WITH late AS (
      DELETE FROM relay.event_work
      WHERE event_id BETWEEN p_ids[1] AND p_ids[cardinality(p_ids)] AND event_id + 0 = ANY (p_ids)
      RETURNING event_id
    ), resolved AS (
      UPDATE relay.dead_letters l SET resolved_at = now(), resolved_by = 'handled'
      FROM late
      WHERE l.source = 'handler' AND l.source_id = late.event_id::text AND coalesce(l.resolved_at, 'infinity') = 'infinity'
    )
    SELECT v_settled + count(*) INTO v_settled FROM late;
  END IF;
  v_is_new := v_settled > 0;
  -- If these are all events that the delivery brought, nothing of it is open. Because the planner cannot know the result of
  -- now(), it finds that the kept plan costs as much as one for this id; else it would plan each call anew for its partition.
  UPDATE relay.deliveries d SET handler_ms = coalesce(d.handler_ms, 0) + CASE WHEN v_is_new THEN p_own_ms ELSE 0 END,
    handled_at = coalesce(d.handled_at, CASE WHEN d.batches = 1 AND d.inserted = cardinality(p_ids)
      AND d.first_event_id = p_ids[1] AND d.last_event_id = p_ids[cardinality(p_ids)] THEN now() END)
  WHERE d.id = CASE WHEN now() IS NOT NULL THEN p_delivery_id END
  RETURNING handled_at IS NOT NULL, runtime, region, cold_start, probe
  INTO v_is_handled, v_runtime, v_region, v_cold, v_probe;
  -- All are null if retention has removed the delivery: then the measurement does not know how the delivery began.
  IF NOT v_is_handled THEN
    -- What another call settled while this one waited for the row is visible now.
    PERFORM relay.mark_handled(ARRAY[p_delivery_id]);
  END IF;
  IF v_is_new THEN
    INSERT INTO relay.handler_count_increments (name, count) SELECT unnest(p_count_names), unnest(p_counts);
    INSERT INTO relay.measurements (at, runtime, region, deployment, cold, probe, facts)
    VALUES (now(), coalesce(v_runtime, ''), v_region, p_deployment, v_cold, coalesce(v_probe, false), p_facts);
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
-- Stores how any number of leases ended. A success is stored whatever has happened since; anything else only while its lease
-- is the event's newest. Returns the ids of the others whose result came too late. Arrays hold a value for each result, in the
-- order of their ids, those of counts one for each counter; frames are joined by line feeds. A repeated call changes nothing.
CREATE FUNCTION "settle"(
  "p_ids" bigint[],
  "p_fences" integer[],
  "p_outcomes" text[],
  "p_attempts" smallint[],
  "p_delivery_ids" uuid[],
  "p_started_ats" timestamptz[],
  "p_durations" real[],
  "p_retry_ms" bigint[],
  "p_queued_ms" bigint[],
  "p_error_names" text[],
  "p_error_codes" text[],
  "p_error_messages" text[],
  "p_frames" text[],
  "p_fingerprints" text[],
  "p_kinds" text[],
  "p_replay_ids" text[],
  "p_count_names" text[],
  "p_counts" bigint[],
  "p_deployment" text,
  "p_message_id" text,
  "p_measured_ids" uuid[],
  "p_measured_facts" text[]
) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  v_lost json;
  v_delivery_ids uuid[];
BEGIN
  -- By `x = x + 0` the planner expects one row. Else it expects ten of an array that it does not know, and plans each call anew.
  WITH r AS MATERIALIZED (
    SELECT * FROM unnest(p_ids, p_fences, p_outcomes, p_attempts, p_delivery_ids, p_started_ats, p_durations, p_retry_ms,
      p_queued_ms, p_error_names, p_error_codes, p_error_messages, p_frames, p_fingerprints, p_kinds, p_replay_ids)
      AS r (id, fence, outcome, attempt, delivery_id, started_at, ms, retry_ms, queued_ms,
        error_name, error_code, error_message, frames, fingerprint, kind, replay_id)
    WHERE id = id + 0
  ), handled AS (
    -- By each id, once the planner knows of many rows; until then by the range. An array of the ids would read the whole table.
    DELETE FROM relay.event_work w USING r
    WHERE r.outcome = 'handled' AND w.event_id = r.id AND w.event_id BETWEEN p_ids[1] AND p_ids[cardinality(p_ids)]
    RETURNING w.event_id, w.fence
  ), kept AS (
    UPDATE relay.event_work w
    SET leased_until = NULL,
      state = CASE WHEN r.outcome = 'dead' THEN 'dead' ELSE 'open' END,
      attempts = r.attempt - CASE WHEN r.outcome = 'released' THEN 1 ELSE 0 END,
      next_attempt_at = now() + r.retry_ms * INTERVAL '1 millisecond',
      queued_until = now() + r.queued_ms * INTERVAL '1 millisecond',
      first_failed_at = CASE WHEN r.outcome = 'released' THEN w.first_failed_at ELSE coalesce(w.first_failed_at, now()) END,
      error_name = CASE WHEN r.outcome = 'released' THEN w.error_name ELSE r.error_name END,
      error_code = CASE WHEN r.outcome = 'released' THEN w.error_code ELSE r.error_code END
    FROM r
    WHERE r.outcome <> 'handled' AND w.event_id = r.id AND w.event_id BETWEEN p_ids[1] AND p_ids[cardinality(p_ids)]
      AND w.fence = r.fence AND w.leased_until IS NOT NULL
    RETURNING w.event_id, w.batch_index
  ), tried AS (
    INSERT INTO relay.handler_attempts (event_id, at, ms, attempt, error_name, error_code, error_message, frames, deployment,
      message_id, replay_id)
    SELECT id, started_at, ms, attempt, error_name, error_code, error_message, string_to_array(frames, E'\n'), p_deployment,
      p_message_id, replay_id
    FROM r WHERE outcome <> 'released' AND (outcome <> 'handled' OR fence > 1 OR replay_id IS NOT NULL)
      -- The statement may be sent again.
      AND NOT EXISTS (SELECT FROM relay.handler_attempts a
        WHERE a.event_id = r.id AND a.at = r.started_at AND a.attempt = r.attempt)
  ), dead AS MATERIALIZED (
    SELECT r.*, kept.batch_index FROM r JOIN kept ON kept.event_id = r.id WHERE r.outcome = 'dead'
  ), made AS (
    INSERT INTO relay.dead_letter_groups (fingerprint, cause, error_name, error_code, kind, first_at, first_deployment)
    SELECT DISTINCT ON (fingerprint) fingerprint, 'handler', error_name, error_code, kind, now(), p_deployment
    FROM dead WHERE NOT EXISTS (SELECT FROM relay.dead_letter_groups g WHERE g.fingerprint = dead.fingerprint)
    ORDER BY fingerprint, id
    ON CONFLICT (fingerprint) DO NOTHING
    RETURNING id, fingerprint
  ), letters AS (
    INSERT INTO relay.dead_letters AS l (source, source_id, group_id, recorded_at, event_id, kind, delivery_id, batch_index,
      attempts, error_name, error_code, error_message, frames, deployment, message_id)
    SELECT 'handler', dead.id::text,
      coalesce((SELECT id FROM made WHERE made.fingerprint = dead.fingerprint),
        (SELECT id FROM relay.dead_letter_groups g WHERE g.fingerprint = dead.fingerprint)),
      now(), dead.id, kind, delivery_id, batch_index, attempt, error_name, error_code, error_message,
      string_to_array(frames, E'\n'), p_deployment, p_message_id
    FROM dead
    ON CONFLICT (source, source_id) DO UPDATE SET group_id = excluded.group_id, recorded_at = excluded.recorded_at,
      attempts = excluded.attempts, error_name = excluded.error_name, error_code = excluded.error_code,
      error_message = excluded.error_message, frames = excluded.frames, deployment = excluded.deployment,
      message_id = excluded.message_id, resolved_at = NULL, resolved_by = NULL
  ), resolved AS (
    UPDATE relay.dead_letters l SET resolved_at = now(), resolved_by = coalesce(r.replay_id, 'handled')
    FROM r
    -- A first attempt has no dead letter, unless its success comes so late that another process has leased the event meanwhile.
    WHERE r.outcome = 'handled' AND (r.fence > 1 OR r.id IN (SELECT event_id FROM handled WHERE handled.fence > 1))
      AND l.source = 'handler' AND l.source_id = r.id::text
      -- Not `IS NULL`, by which the planner would read every open dead letter instead of this one.
      AND coalesce(l.resolved_at, 'infinity') = 'infinity'
  ), counted AS (
    -- Only with a handled event, so that a settlement which is sent again counts nothing twice.
    INSERT INTO relay.handler_count_increments (name, count)
    SELECT * FROM unnest(p_count_names, p_counts) WHERE EXISTS (SELECT FROM handled)
  ), touched AS MATERIALIZED (
    SELECT delivery_id, sum(ms) FILTER (WHERE fence = 1 AND outcome <> 'released' AND replay_id IS NULL
        AND (id IN (SELECT event_id FROM handled) OR id IN (SELECT event_id FROM kept))) AS own_ms
    FROM r GROUP BY 1 HAVING bool_or(outcome = 'handled') OR bool_or(fence = 1 AND outcome <> 'released')
    -- As reports lock them, too, so that two calls do not wait for one another crosswise.
    ORDER BY 1
  ), marked AS (
    UPDATE relay.deliveries d
    SET handler_ms = CASE WHEN own_ms IS NULL THEN handler_ms ELSE coalesce(handler_ms, 0) + own_ms END
    FROM touched WHERE d.id = touched.delivery_id
    RETURNING d.id
  ), measured AS (
    INSERT INTO relay.measurements (at, runtime, region, deployment, cold, probe, facts)
    SELECT now(), coalesce(d.runtime, ''), d.region, p_deployment, d.cold_start, coalesce(d.probe, false), m.facts::json
    FROM unnest(p_measured_ids, p_measured_facts) WITH ORDINALITY m (delivery_id, facts, place)
    LEFT JOIN relay.deliveries d ON d.id = m.delivery_id
    -- A settlement that is sent again counts nothing twice.
    WHERE place = place + 0 AND (EXISTS (SELECT FROM handled) OR EXISTS (SELECT FROM kept))
  )
  SELECT (SELECT json_agg(id) FROM r WHERE outcome <> 'handled' AND id NOT IN (SELECT event_id FROM kept)
      -- Its lease is the newest, so this result is stored already.
      AND NOT EXISTS (SELECT FROM relay.event_work w WHERE w.event_id = id AND w.fence = r.fence)),
    ARRAY(SELECT id FROM marked)
  INTO v_lost, v_delivery_ids;
  -- What another call settled while this one waited for the rows is visible now.
  PERFORM relay.mark_handled(v_delivery_ids);
  RETURN v_lost;
END $$;
