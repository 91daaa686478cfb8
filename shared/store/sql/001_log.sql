-- What this service has decided. Order of commit is (xid, seq): an event is sealed only once every
-- transaction that could still commit before it has ended.
CREATE TABLE events (
    stream  text   NOT NULL,
    version int    NOT NULL CHECK (version > 0),
    xid     xid8   NOT NULL DEFAULT pg_current_xact_id(),
    seq     bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    draft   bytea  NOT NULL,
    PRIMARY KEY (stream, version)
);
CREATE INDEX events_in_commit_order ON events (xid, seq);

-- Commands that were accepted, and what they were answered: the same id again gets the same answer.
CREATE TABLE commands (
    command_id  uuid  PRIMARY KEY,
    fingerprint bytea NOT NULL,
    result      bytea NOT NULL
);

-- What one stream alone may hold while its state says so: an open application, a seat.
CREATE TABLE claims (
    claim  text PRIMARY KEY,
    stream text NOT NULL
);

-- Who holds which duty in which batch, once for each exclusion that the duty takes part in (R015).
-- The primary key lets a person stand on one side of an exclusion only, whoever commits first.
CREATE TABLE duties (
    batch     uuid NOT NULL,
    actor     text NOT NULL,
    exclusion text NOT NULL,
    role      text NOT NULL,
    PRIMARY KEY (batch, actor, exclusion)
);

-- The log as sealed: gapless, each event holding the hash of the one before. These bytes are the events.
CREATE TABLE log (
    position bigint PRIMARY KEY CHECK (position > 0),
    hash     bytea  NOT NULL CHECK (length(hash) = 32),
    sealed   bytea  NOT NULL
);

-- Signed statements of the source about its own log.
CREATE TABLE heads (
    position  bigint PRIMARY KEY,
    hash      bytea NOT NULL,
    signature bytea NOT NULL
);

-- How far the relay has come: sealed up to (xid, seq), confirmed by the bus up to `published`.
CREATE TABLE relay (
    single    boolean PRIMARY KEY DEFAULT true CHECK (single),
    xid       xid8   NOT NULL DEFAULT '0',
    seq       bigint NOT NULL DEFAULT 0,
    position  bigint NOT NULL DEFAULT 0,
    hash      bytea  NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    published bigint NOT NULL DEFAULT 0
);
INSERT INTO relay DEFAULT VALUES;

-- Appends to one stream, and all that has to be true with it. Raises JD001 when somebody appended first:
-- either the version is not the expected one, or the last event's transaction began after this one, so that
-- sealing by (xid, seq) would turn the stream's order round.
CREATE FUNCTION append(
    to_stream text, expected int, drafts bytea[],
    command uuid, print bytea, answer bytea,
    claimed text[], released text[],
    duty_batches uuid[], duty_actors text[], duty_exclusions text[], duty_roles text[]
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    last_version int;
    last_xid xid8;
BEGIN
    SELECT version, xid INTO last_version, last_xid
      FROM events WHERE stream = to_stream ORDER BY version DESC LIMIT 1;
    IF coalesce(last_version, 0) <> expected OR last_xid > pg_current_xact_id() THEN
        RAISE EXCEPTION 'the stream has moved on' USING ERRCODE = 'JD001';
    END IF;
    INSERT INTO events (stream, version, draft)
    SELECT to_stream, expected + place, draft FROM unnest(drafts) WITH ORDINALITY AS new (draft, place)
     ORDER BY place;
    INSERT INTO commands VALUES (command, print, answer);
    IF cardinality(released) > 0 THEN
        DELETE FROM claims WHERE claim = ANY (released) AND stream = to_stream;
    END IF;
    IF cardinality(claimed) > 0 THEN
        INSERT INTO claims SELECT claim, to_stream FROM unnest(claimed) AS new (claim);
    END IF;
    IF cardinality(duty_batches) > 0 THEN
        INSERT INTO duties SELECT * FROM unnest(duty_batches, duty_actors, duty_exclusions, duty_roles);
    END IF;
END $$;

-- Duties that others' events show. The first to hold one side keeps it; audit sees the rest.
CREATE FUNCTION note_duties(batches uuid[], actors text[], exclusions text[], roles text[])
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO duties SELECT * FROM unnest(batches, actors, exclusions, roles) ON CONFLICT DO NOTHING;
$$;
REVOKE ALL ON FUNCTION append, note_duties FROM PUBLIC;
