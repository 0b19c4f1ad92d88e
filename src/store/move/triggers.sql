-- What instances of the release before write, from the moment at which this is committed. The functions run with the rights
-- of their owner, because those instances may have a role that knows nothing of the new tables.

-- An event's key is claimed where the new release claims it, so that the two releases never store an event twice, and
-- its id comes from the new sequence, so that the two never give one id to two events.
CREATE FUNCTION relay_move.claim_key() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = relay_next, relay, pg_temp AS $$
BEGIN
	-- It may not be copied yet.
	IF EXISTS (SELECT FROM public.events e WHERE e.key = new.key) THEN RETURN NULL; END IF;
	new.id := nextval('event_ids');
	INSERT INTO event_keys (hash, event_id) VALUES (relay_move.hash_uuid(new.key), new.id) ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN RETURN NULL; END IF;
	RETURN new;
END $$;

CREATE FUNCTION relay_move.carry_new_events() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = relay_next, relay, pg_temp AS $$
BEGIN
	PERFORM relay_move.carry_events(ARRAY (SELECT id FROM after));
	RETURN NULL;
END $$;

-- The right to run an event's handler is taken in the new table, too: not while the new release has it, and not for an
-- event that the new release has handled or given up.
CREATE FUNCTION relay_move.take_lease() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = relay_next, relay, pg_temp AS $$
DECLARE
	work event_work;
BEGIN
	SELECT * INTO work FROM event_work w WHERE w.event_id = new.id FOR UPDATE;
	IF FOUND THEN
		IF work.state = 'dead' THEN RETURN NULL; END IF;
		IF work.leased_until > now() AND work.leased_until IS DISTINCT FROM old.leased_until THEN RETURN NULL; END IF;
	ELSIF EXISTS (SELECT FROM events e WHERE e.id = new.id) THEN
		UPDATE public.events e SET handled_at = now() WHERE e.id = new.id;
		RETURN NULL;
	END IF;
	RETURN new;
END $$;

CREATE FUNCTION relay_move.carry_event_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = relay_next, relay, pg_temp AS $$
DECLARE
	ids CONSTANT bigint[] := ARRAY (SELECT id FROM after ORDER BY id);
	missing bigint[];
	erased bigint[];
BEGIN
	missing := ARRAY (SELECT a.id FROM after a WHERE (SELECT count(*) FROM events e WHERE e.id = a.id) = 0 ORDER BY 1);
	IF cardinality(missing) > 0 THEN PERFORM relay_move.carry_events(missing); END IF;

	erased := ARRAY (SELECT a.id FROM after a JOIN before b ON b.id = a.id
		WHERE (a.erased_at, a.account_id, a.sender_id, a.recipient_id)
			IS DISTINCT FROM (b.erased_at, b.account_id, b.sender_id, b.recipient_id));
	IF cardinality(erased) > 0 THEN
		UPDATE events e SET data = a.data, account_id = a.account_id, sender_id = a.sender_id,
			recipient_id = a.recipient_id, erased_at = a.erased_at
		FROM after a WHERE e.id = ANY (erased) AND a.id = e.id;
	END IF;

	DELETE FROM event_work w USING after a
	WHERE w.event_id = ANY (ids) AND a.id = w.event_id AND (a.handled_at IS NOT NULL OR a.erased_at IS NOT NULL);

	UPDATE event_work w SET
		attempts = greatest(w.attempts, least(a.handler_attempts, 8)),
		error_name = coalesce(a.handler_error, w.error_name),
		first_failed_at = coalesce(w.first_failed_at, CASE WHEN a.handler_error IS NOT NULL THEN now() END),
		-- A lease of the new release stays; one that this release takes ends what an earlier one may still report.
		leased_until = CASE WHEN w.leased_until > now() AND w.leased_until IS DISTINCT FROM b.leased_until
			THEN w.leased_until ELSE a.leased_until END,
		fence = w.fence + CASE WHEN a.leased_until > coalesce(b.leased_until, '-infinity') THEN 1 ELSE 0 END
	FROM after a JOIN before b ON b.id = a.id
	WHERE w.event_id = ANY (ids) AND a.id = w.event_id;
	RETURN NULL;
END $$;

CREATE FUNCTION relay_move.carry_new_deliveries() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = relay_next, relay, pg_temp AS $$
BEGIN
	PERFORM relay_move.carry_deliveries(ARRAY (SELECT id FROM after));
	RETURN NULL;
END $$;

-- Batches, of which the last one that is handled decides when the delivery is: one after another, so that it sees the
-- others.
CREATE FUNCTION relay_move.carry_new_batches() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = relay_next, relay, pg_temp AS $$
DECLARE
	ids CONSTANT text[] := ARRAY (SELECT DISTINCT delivery_id FROM after);
BEGIN
	PERFORM FROM public.deliveries d WHERE d.id = ANY (ids) ORDER BY d.id FOR NO KEY UPDATE;
	PERFORM relay_move.carry_deliveries(ids);
	RETURN NULL;
END $$;

CREATE FUNCTION relay_move.carry_new_dead_letters() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = relay_next, relay, pg_temp AS $$
BEGIN
	PERFORM relay_move.carry_dead_letters(ARRAY (SELECT id FROM after));
	RETURN NULL;
END $$;

-- What is small: row by row.
CREATE FUNCTION relay_move.carry_row() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = relay_next, relay, pg_temp AS $$
BEGIN
	CASE tg_table_name
	WHEN 'handler_counts' THEN
		INSERT INTO handler_count_increments (name, count)
		VALUES (new.name, new.count - CASE WHEN tg_op = 'UPDATE' THEN old.count ELSE 0 END);
	WHEN 'drift' THEN
		INSERT INTO drift_findings (kind, path, finding, shape, count, seen_at, event_id)
		VALUES (new.kind, new.path, new.finding, new.shape,
			new.count - CASE WHEN tg_op = 'UPDATE' THEN old.count ELSE 0 END, new.last_seen, new.event_id);
	WHEN 'refusals' THEN
		INSERT INTO refusals (at, runtime, reason, count) VALUES (new.at, new.runtime, new.reason, new.count);
	WHEN 'spent_seals' THEN
		INSERT INTO spent_seals (id, expires_at) VALUES (new.id, new.expires_at) ON CONFLICT DO NOTHING;
	WHEN 'deauthorizations' THEN
		INSERT INTO deauthorizations (request_id, user_id, issued_at, recorded_at)
		VALUES (new.request_id, new.user_id, new.issued_at, new.recorded_at)
		ON CONFLICT (request_id) DO UPDATE SET user_id = excluded.user_id;
	WHEN 'data_deletions' THEN
		INSERT INTO data_deletions (request_id, code, user_id, requested_at, erased, completed_at)
		VALUES (new.request_id, new.code, new.user_id, new.requested_at, new.erased, new.completed_at)
		ON CONFLICT (request_id) DO UPDATE
		SET user_id = excluded.user_id, erased = excluded.erased, completed_at = excluded.completed_at;
		-- The release before finds only its own events of the person.
		IF tg_op = 'UPDATE' AND old.user_id IS NOT NULL AND new.completed_at IS NOT NULL THEN
			INSERT INTO erased_people (hash, requested_at) VALUES (relay_move.hash_uuid(old.user_id), new.requested_at)
			ON CONFLICT DO NOTHING;
			WITH erased AS (
				UPDATE events e SET data = '{"erased":"data-deletion"}', erased_at = now(),
					account_id = coalesce(nullif(e.account_id, old.user_id), ''),
					sender_id = nullif(e.sender_id, old.user_id), recipient_id = nullif(e.recipient_id, old.user_id)
				WHERE e.id > (SELECT last FROM relay_move.parts WHERE parts.name = 'events')
					AND old.user_id IN (e.account_id, e.sender_id, e.recipient_id)
				RETURNING e.id
			)
			DELETE FROM event_work w USING erased WHERE w.event_id = erased.id;
		END IF;
	END CASE;
	RETURN NULL;
END $$;

-- The other way only what is erased: the old tables must not keep what a person asked to delete.
CREATE FUNCTION relay_move.carry_back() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = relay_next, relay, pg_temp AS $$
BEGIN
	CASE tg_argv[0]
	WHEN 'events' THEN
		UPDATE public.events o SET data = new.data, account_id = new.account_id, sender_id = new.sender_id,
			recipient_id = new.recipient_id, erased_at = new.erased_at
		WHERE o.id = new.id AND (o.data::text, o.account_id, o.sender_id, o.recipient_id, o.erased_at)
			IS DISTINCT FROM (new.data::text, new.account_id, new.sender_id, new.recipient_id, new.erased_at);
	WHEN 'deauthorizations' THEN
		UPDATE public.deauthorizations o SET user_id = NULL
		WHERE o.request_id = new.request_id AND o.user_id IS NOT NULL AND new.user_id IS NULL;
	WHEN 'data_deletions' THEN
		UPDATE public.data_deletions o SET user_id = NULL, erased = new.erased, completed_at = new.completed_at
		WHERE o.request_id = new.request_id AND o.user_id IS NOT NULL AND new.user_id IS NULL;
	END CASE;
	RETURN NULL;
END $$;

CREATE FUNCTION relay_move.note_write() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = relay_next, relay, pg_temp AS $$
BEGIN
	-- Of the release before, not of the triggers here.
	IF pg_trigger_depth() > 1 THEN RETURN NULL; END IF;
	INSERT INTO relay_move.old_writes
	SELECT WHERE NOT EXISTS (SELECT FROM relay_move.old_writes w WHERE w.at > now() - interval '1 minute');
	RETURN NULL;
END $$;

CREATE TRIGGER relay_carry_back AFTER UPDATE ON events
	FOR EACH ROW EXECUTE FUNCTION relay_move.carry_back('events');
CREATE TRIGGER relay_carry_back AFTER UPDATE ON deauthorizations
	FOR EACH ROW EXECUTE FUNCTION relay_move.carry_back('deauthorizations');
CREATE TRIGGER relay_carry_back AFTER UPDATE ON data_deletions
	FOR EACH ROW EXECUTE FUNCTION relay_move.carry_back('data_deletions');

-- The roles that may write events may use all of the new schema, now and after later migrations.
DO $$
DECLARE
	role text;
BEGIN
	FOR role IN
		SELECT DISTINCT a.grantee::regrole FROM pg_class c, aclexplode(c.relacl) a
		WHERE c.oid = 'public.events'::regclass AND a.privilege_type = 'INSERT' AND a.grantee NOT IN (0, c.relowner)
	LOOP
		EXECUTE format('GRANT USAGE ON SCHEMA %I TO %s', current_schema(), role);
		EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %s', current_schema(), role);
		EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %I TO %s', current_schema(), role);
		EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %s',
			current_schema(), role);
		EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT USAGE, SELECT ON SEQUENCES TO %s',
			current_schema(), role);
	END LOOP;
END $$;

-- In the order in which a batch is stored, against deadlocks with it. From here to the commit no instance can write into them.
-- The limit is above `deadlock_timeout`, at which an autovacuum that is in the way gives up.
SET LOCAL lock_timeout = '1500ms';
LOCK TABLE public.deliveries, public.events, public.delivery_events, public.delivery_batches, public.drift,
	public.handler_counts, public.refusals, public.dead_letters, public.spent_seals, public.deauthorizations,
	public.data_deletions IN SHARE ROW EXCLUSIVE MODE;

DO $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY ARRAY ['deliveries', 'events', 'delivery_events', 'delivery_batches', 'drift', 'handler_counts',
		'refusals', 'dead_letters', 'spent_seals', 'deauthorizations', 'data_deletions']
	LOOP
		EXECUTE format('CREATE TRIGGER relay_note AFTER INSERT OR UPDATE ON public.%I
			FOR EACH STATEMENT EXECUTE FUNCTION relay_move.note_write()', name);
	END LOOP;
	FOREACH name IN ARRAY ARRAY ['drift', 'handler_counts', 'refusals', 'spent_seals', 'deauthorizations', 'data_deletions']
	LOOP
		EXECUTE format('CREATE TRIGGER relay_carry AFTER INSERT OR UPDATE ON public.%I
			FOR EACH ROW EXECUTE FUNCTION relay_move.carry_row()', name);
	END LOOP;
END $$;

CREATE TRIGGER relay_claim BEFORE INSERT ON public.events
	FOR EACH ROW EXECUTE FUNCTION relay_move.claim_key();
CREATE TRIGGER relay_carry_new AFTER INSERT ON public.events REFERENCING NEW TABLE AS after
	FOR EACH STATEMENT EXECUTE FUNCTION relay_move.carry_new_events();
CREATE TRIGGER relay_lease BEFORE UPDATE ON public.events FOR EACH ROW
	WHEN (new.handled_at IS NULL AND new.leased_until IS NOT NULL AND new.leased_until IS DISTINCT FROM old.leased_until)
	EXECUTE FUNCTION relay_move.take_lease();
CREATE TRIGGER relay_carry_changed AFTER UPDATE ON public.events REFERENCING OLD TABLE AS before NEW TABLE AS after
	FOR EACH STATEMENT EXECUTE FUNCTION relay_move.carry_event_changes();
CREATE TRIGGER relay_carry_new AFTER INSERT ON public.deliveries REFERENCING NEW TABLE AS after
	FOR EACH STATEMENT EXECUTE FUNCTION relay_move.carry_new_deliveries();
CREATE TRIGGER relay_carry_changed AFTER UPDATE ON public.deliveries REFERENCING NEW TABLE AS after
	FOR EACH STATEMENT EXECUTE FUNCTION relay_move.carry_new_deliveries();
CREATE TRIGGER relay_carry_new AFTER INSERT ON public.delivery_batches REFERENCING NEW TABLE AS after
	FOR EACH STATEMENT EXECUTE FUNCTION relay_move.carry_new_batches();
CREATE TRIGGER relay_carry_changed AFTER UPDATE ON public.delivery_batches REFERENCING NEW TABLE AS after
	FOR EACH STATEMENT EXECUTE FUNCTION relay_move.carry_new_batches();
CREATE TRIGGER relay_carry_new AFTER INSERT ON public.dead_letters REFERENCING NEW TABLE AS after
	FOR EACH STATEMENT EXECUTE FUNCTION relay_move.carry_new_dead_letters();

-- Above every id that was given. The small tables are copied at once.
SELECT setval('event_ids', greatest(1, (SELECT last_value FROM public.events_id_seq)));
INSERT INTO relay_move.parts (name, cursor, last) VALUES
	('events', '0', (SELECT coalesce(max(id), 0) FROM public.events)),
	('deliveries', '', NULL),
	('dead_letters', '', NULL),
	('refusals', '0', (SELECT coalesce(max(id), 0) FROM public.refusals));
INSERT INTO handler_counts (name, count) SELECT name, count FROM public.handler_counts;
INSERT INTO drift (kind, path, finding, shape, count, first_seen, last_seen, event_id)
SELECT kind, path, finding, shape, count, first_seen, last_seen, event_id FROM public.drift;
INSERT INTO spent_seals (id, expires_at) SELECT id, expires_at FROM public.spent_seals;
INSERT INTO deauthorizations (request_id, user_id, issued_at, recorded_at)
SELECT request_id, user_id, issued_at, recorded_at FROM public.deauthorizations;
INSERT INTO data_deletions (request_id, code, user_id, requested_at, erased, completed_at)
SELECT request_id, code, user_id, requested_at, erased, completed_at FROM public.data_deletions;
