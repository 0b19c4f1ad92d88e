-- What brings the tables of the releases before the schema `relay`, which are in `public`, into it. Everything is in a
-- schema of its own, which goes when the old tables are dropped. The new tables are in `relay_next` until all rows are there
-- and in `relay` afterwards, so unqualified names mean them in either.
--
-- The rows are copied in steps, while instances of the release before write. Their writes are carried over by triggers. A
-- step and a trigger may meet at a row: both only insert what is missing and fill in what is null, and the later one waits
-- at the primary key for the earlier one, so that the order does not matter.
CREATE SCHEMA relay_move;

CREATE TABLE relay_move.parts (
	name text PRIMARY KEY,
	-- The last row that was copied.
	cursor text NOT NULL,
	-- The last row to copy by its id; later ones come through the triggers. Null where all are copied.
	last bigint,
	rows bigint NOT NULL DEFAULT 0,
	done boolean NOT NULL DEFAULT false
);

-- When instances of the release before wrote, one row a minute.
CREATE TABLE relay_move.old_writes (at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON relay_move.old_writes (at);

CREATE FUNCTION relay_move.hash_uuid(content text) RETURNS uuid LANGUAGE sql STABLE
RETURN left(encode(sha256(convert_to(content, 'UTF8')), 'hex'), 32)::uuid;

-- As src/store/ingest/delivery-uuid.ts.
CREATE FUNCTION relay_move.delivery_uuid(id text) RETURNS uuid LANGUAGE sql STABLE
RETURN CASE WHEN id ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN id::uuid
	ELSE relay_move.hash_uuid(id) END;

CREATE FUNCTION relay_move.small(number integer) RETURNS smallint LANGUAGE sql IMMUTABLE
RETURN CASE WHEN number > 32766 THEN 32766 ELSE number END;

-- Events with these ids that are not in the new table yet, each with its key and, if it is open, with its work. Of the
-- attempts so many count that at least one is left.
CREATE FUNCTION relay_move.carry_events(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO event_keys (hash, event_id)
	SELECT relay_move.hash_uuid(e.key), e.id FROM public.events e WHERE e.id = ANY (ids) ORDER BY e.id
	ON CONFLICT DO NOTHING;

	WITH carried AS (
		INSERT INTO events (id, ingested_at, occurred_at, sent_at, erased_at, delivery_id, batch_index, standby, test, drifted,
			kind, account_id, sender_id, recipient_id, key, data)
		SELECT e.id, coalesce(e.ingested_at, e.delivered_at), e.occurred_at, e.sent_at, e.erased_at,
			relay_move.delivery_uuid(e.delivery_id), 0, e.standby, e.test, e.drifted,
			e.kind, e.account_id, e.sender_id, e.recipient_id, e.key, e.data
		FROM public.events e WHERE e.id = ANY (ids) ORDER BY e.id
		ON CONFLICT (id) DO NOTHING
		RETURNING id
	)
	INSERT INTO event_work (event_id, delivery_id, batch_index, attempts, leased_until, next_attempt_at, first_failed_at, kind,
		conversation, error_name)
	SELECT e.id, relay_move.delivery_uuid(e.delivery_id), 0, least(e.handler_attempts, 8), e.leased_until, now(),
		CASE WHEN e.handler_error IS NOT NULL THEN coalesce(e.ingested_at, e.delivered_at) END, e.kind,
		nullif(e.account_id, '') || ':' || CASE WHEN e.sender_id = e.account_id THEN e.recipient_id ELSE e.sender_id END,
		e.handler_error
	FROM public.events e
	WHERE e.id = ANY (ids) AND e.id IN (SELECT id FROM carried) AND e.handled_at IS NULL AND e.erased_at IS NULL
	ORDER BY e.id;
END $$;

-- Deliveries with these ids: their facts, their report, their first batch and the range of the events that they brought;
-- their further batches, and their links to events that another delivery had brought.
CREATE FUNCTION relay_move.carry_deliveries(ids text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO deliveries AS d (id, received_at, body_bytes, cold_start, probe, runtime, region, via, batches, inserted,
		duplicates, ingest_ms, first_event_id, last_event_id, delivered_at, ingested_at, handled_at, ack_ms, events, outcome,
		publish_ms, published_at, attempts, timeouts, error_type, reported_at)
	SELECT DISTINCT ON (relay_move.delivery_uuid(o.id))
		relay_move.delivery_uuid(o.id), o.received_at, o.body_bytes, o.cold_start, o.probe, o.runtime, o.region,
		CASE WHEN b.ingested_at IS NULL THEN NULL WHEN o.outcome = 'fallback' THEN 'fallback' ELSE 'queue' END,
		b.batches, relay_move.small(b.inserted), relay_move.small(b.duplicates), b.ingest_ms, range.first, range.last,
		b.delivered_at, b.ingested_at, handled.at, o.ack_ms, o.events, CASE WHEN o.reported_at IS NOT NULL THEN o.outcome END,
		o.publish_ms, o.published_at, relay_move.small(o.attempts), relay_move.small(o.timeouts), o.error_type, o.reported_at
	FROM public.deliveries o
	LEFT JOIN public.delivery_batches b ON b.delivery_id = o.id AND b.batch_index = 0
	CROSS JOIN LATERAL (
		SELECT CASE WHEN count(handled_at) >= max(h.batches) THEN max(handled_at) END AS at
		FROM public.delivery_batches h WHERE h.delivery_id = o.id
	) handled
	CROSS JOIN LATERAL (
		SELECT min(e.id) AS first, max(e.id) AS last
		FROM public.delivery_events l JOIN public.events e ON e.id = l.event_id
		WHERE l.delivery_id = o.id AND e.delivery_id = o.id
	) range
	WHERE o.id = ANY (ids) ORDER BY 1
	ON CONFLICT (id) DO UPDATE SET
		via = coalesce(d.via, excluded.via),
		batches = coalesce(d.batches, excluded.batches),
		inserted = coalesce(d.inserted, excluded.inserted),
		duplicates = coalesce(d.duplicates, excluded.duplicates),
		ingest_ms = coalesce(d.ingest_ms, excluded.ingest_ms),
		first_event_id = least(d.first_event_id, excluded.first_event_id),
		last_event_id = greatest(d.last_event_id, excluded.last_event_id),
		delivered_at = coalesce(d.delivered_at, excluded.delivered_at),
		ingested_at = coalesce(d.ingested_at, excluded.ingested_at),
		handled_at = coalesce(d.handled_at, excluded.handled_at),
		ack_ms = coalesce(d.ack_ms, excluded.ack_ms),
		events = coalesce(d.events, excluded.events),
		outcome = coalesce(d.outcome, excluded.outcome),
		publish_ms = coalesce(d.publish_ms, excluded.publish_ms),
		published_at = coalesce(d.published_at, excluded.published_at),
		attempts = coalesce(d.attempts, excluded.attempts),
		timeouts = coalesce(d.timeouts, excluded.timeouts),
		error_type = coalesce(d.error_type, excluded.error_type),
		reported_at = coalesce(d.reported_at, excluded.reported_at);

	INSERT INTO delivery_batches (delivery_id, batch_index, inserted, duplicates, ingest_ms, delivered_at, ingested_at)
	SELECT relay_move.delivery_uuid(b.delivery_id), b.batch_index, relay_move.small(b.inserted), relay_move.small(b.duplicates),
		b.ingest_ms, b.delivered_at, b.ingested_at
	FROM public.delivery_batches b WHERE b.delivery_id = ANY (ids) AND b.batch_index > 0 ORDER BY 1, 2
	ON CONFLICT DO NOTHING;

	INSERT INTO duplicate_events (delivery_id, event_id)
	SELECT relay_move.delivery_uuid(l.delivery_id), l.event_id
	FROM public.delivery_events l JOIN public.events e ON e.id = l.event_id
	WHERE l.delivery_id = ANY (ids) AND e.delivery_id <> l.delivery_id ORDER BY 1, 2
	ON CONFLICT DO NOTHING;
END $$;

-- QStash's dead letters; they are one group, because their cause was not stored.
CREATE FUNCTION relay_move.carry_dead_letters(ids text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO dead_letter_groups (fingerprint, cause, first_at)
	SELECT encode(sha256('qstash||||'), 'hex'), 'qstash', min(recorded_at)
	FROM public.dead_letters WHERE id = ANY (ids) HAVING count(*) > 0
	ON CONFLICT DO NOTHING;

	INSERT INTO dead_letters (source, source_id, group_id, recorded_at, delivery_id, message_id, dlq_id, url, status, attempts)
	SELECT 'qstash', o.id, g.id, o.recorded_at, relay_move.delivery_uuid(o.delivery_id), o.message_id, o.id, o.url,
		relay_move.small(o.status), relay_move.small(o.retried) + 1
	FROM public.dead_letters o, dead_letter_groups g
	WHERE o.id = ANY (ids) AND g.fingerprint = encode(sha256('qstash||||'), 'hex') ORDER BY o.recorded_at, o.id
	ON CONFLICT DO NOTHING;
END $$;

-- One step of a part: copies at most `size` rows after its cursor. Every row of `events` is counted again where it went.
CREATE FUNCTION relay_move.copy_step(part text, size integer, OUT copied integer, OUT rows bigint, OUT done boolean)
LANGUAGE plpgsql SET search_path = relay_next, relay, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
	here relay_move.parts;
	ids bigint[];
	names text[];
	arrived bigint;
BEGIN
	SELECT * INTO STRICT here FROM relay_move.parts p WHERE p.name = part FOR UPDATE;
	IF part IN ('events', 'refusals') THEN
		EXECUTE format('SELECT ARRAY (SELECT id FROM public.%I WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3)', part)
			INTO ids USING here.cursor::bigint, here.last, size;
	ELSE
		EXECUTE format('SELECT ARRAY (SELECT id FROM public.%I WHERE id > $1 ORDER BY id LIMIT $2)', part)
			INTO names USING here.cursor, size;
	END IF;
	copied := coalesce(cardinality(ids), cardinality(names));
	done := copied = 0 OR here.done;
	rows := here.rows + copied;
	IF done THEN
		UPDATE relay_move.parts p SET done = true WHERE p.name = part;
		RETURN;
	END IF;

	CASE part
	WHEN 'events' THEN
		PERFORM relay_move.carry_events(ids);
		SELECT count(*) INTO arrived
		FROM public.events o
		JOIN events e ON e.id = o.id AND e.key = o.key
		JOIN event_keys k ON k.hash = relay_move.hash_uuid(o.key) AND k.event_id = o.id
		WHERE o.id = ANY (ids) AND e.id = ANY (ids);
		IF arrived <> copied THEN
			RAISE EXCEPTION 'of % events after id % only % arrived', copied, here.cursor, arrived;
		END IF;
	WHEN 'deliveries' THEN PERFORM relay_move.carry_deliveries(names);
	WHEN 'dead_letters' THEN PERFORM relay_move.carry_dead_letters(names);
	WHEN 'refusals' THEN
		INSERT INTO refusals (at, runtime, reason, count)
		SELECT o.at, o.runtime, o.reason, o.count FROM public.refusals o WHERE o.id = ANY (ids) ORDER BY o.id;
	END CASE;
	UPDATE relay_move.parts p SET cursor = coalesce(ids[copied]::text, names[copied]), rows = p.rows + copied
	WHERE p.name = part;
END $$;
