-- The audit log: every sealed event of every source, in the order received, each a leaf of a Merkle tree.
-- Nobody but the functions below writes it; the service's role has no right to (R153).

-- `leaf` is the entry (FORMATS.md); the other columns repeat what it says, so that it can be found.
CREATE TABLE entries (
    index       bigint PRIMARY KEY CHECK (index >= 0),
    source      text   NOT NULL,
    position    bigint NOT NULL,
    event_id    uuid   NOT NULL UNIQUE,
    type        text   NOT NULL,
    actor       text   NOT NULL,
    role        text   NOT NULL,
    received_at timestamptz NOT NULL,
    leaf        bytea  NOT NULL CHECK (length(leaf) < 65536),
    UNIQUE (source, position)
);

-- Who and what an entry is about: its `refs` and its actor, with its links: how many entries the subject has
-- with this one, and which was the one before. No foreign key: it would double the cost of a row, and
-- verification compares both ways.
CREATE TABLE subjects (
    kind     text   NOT NULL,
    ref      text   NOT NULL,
    index    bigint NOT NULL,
    number   bigint NOT NULL CHECK (number > 0),
    previous bigint NOT NULL CHECK (previous < index),
    PRIMARY KEY (kind, ref, index) INCLUDE (number, previous)
);
CREATE INDEX subjects_by_index ON subjects (index);

-- The tree after each append: its root, and the peaks that the next append goes on from.
CREATE TABLE tree_heads (
    size    bigint PRIMARY KEY CHECK (size > 0),
    root    bytea  NOT NULL CHECK (length(root) = 32),
    peaks   bytea  NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now()
);

-- The tree's full tiles: 256 hashes each, written when the last of them is there, and never again.
CREATE TABLE tiles (
    level  int    NOT NULL CHECK (level BETWEEN 0 AND 7),
    index  bigint NOT NULL CHECK (index >= 0),
    hashes bytea  NOT NULL CHECK (length(hashes) = 8192),
    PRIMARY KEY (level, index)
);
ALTER TABLE tiles ALTER hashes SET STORAGE EXTERNAL;  -- hashes do not compress

-- What contradicts the log: other bytes at a position that it has, events that do not follow, forged bodies.
CREATE TABLE evidence (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      text   NOT NULL,
    position    bigint,  -- if the body says one
    index       bigint,  -- of the entry that it contradicts, if there is one
    body        bytea  NOT NULL,
    reason      text   NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX evidence_once ON evidence (source, coalesce(position, 0), sha256(body));

-- What somebody has to look at. `detail` names no person.
CREATE TABLE findings (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind           text   NOT NULL,
    source         text   NOT NULL,
    first_position bigint,
    last_position  bigint,
    first_index    bigint,
    last_index     bigint,
    detail         jsonb  NOT NULL,
    raised_at      timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX findings_once ON findings (
    kind, source, coalesce(first_position, -1), coalesce(last_position, -1),
    coalesce(first_index, -1), coalesce(last_index, -1)
);

-- Appends entries from index `first` on with the tree and the full tiles that follow from them.
-- JD001: somebody appended first.
CREATE FUNCTION append_entries(
    first bigint, from_sources text[], positions bigint[], ids uuid[], types text[], actors text[], roles text[],
    received timestamptz, leaves bytea[],
    subject_kinds text[], subject_refs text[], subject_offsets int[],
    subject_numbers bigint[], subject_previous bigint[],
    tile_levels int[], tile_indexes bigint[], tile_hashes bytea[], new_root bytea, new_peaks bytea
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1);
    IF first <> coalesce((SELECT max(size) FROM tree_heads), 0) THEN
        RAISE EXCEPTION 'the log has moved on' USING ERRCODE = 'JD001';
    END IF;
    INSERT INTO entries
    SELECT first + place - 1, source, pos, id, kind, who, role, received, leaf
      FROM unnest(from_sources, positions, ids, types, actors, roles, leaves) WITH ORDINALITY
        AS new (source, pos, id, kind, who, role, leaf, place);
    INSERT INTO subjects SELECT kind, ref, first + place, number, previous
      FROM unnest(subject_kinds, subject_refs, subject_offsets, subject_numbers, subject_previous)
        AS new (kind, ref, place, number, previous);
    IF cardinality(tile_levels) > 0 THEN
        INSERT INTO tiles SELECT * FROM unnest(tile_levels, tile_indexes, tile_hashes);
    END IF;
    INSERT INTO tree_heads (size, root, peaks) VALUES (first + cardinality(ids), new_root, new_peaks);
END $$;

-- Keeps a body that contradicts the log; the same body at the same place is kept once.
CREATE FUNCTION keep_evidence(from_source text, at bigint, of_entry bigint, body bytea, reason text)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO evidence (source, position, index, body, reason)
    VALUES (from_source, at, of_entry, body, reason) ON CONFLICT DO NOTHING;
$$;

-- Raises a finding, once; its id if it is new.
CREATE FUNCTION raise_finding(
    what text, about_source text, from_position bigint, to_position bigint, from_index bigint, to_index bigint,
    detail jsonb
) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO findings (kind, source, first_position, last_position, first_index, last_index, detail)
    VALUES (what, about_source, from_position, to_position, from_index, to_index, detail)
    ON CONFLICT DO NOTHING RETURNING id;
$$;

REVOKE ALL ON FUNCTION append_entries, keep_evidence, raise_finding FROM PUBLIC;
GRANT SELECT ON entries, subjects, tree_heads, tiles, evidence, findings TO audit_service;
GRANT EXECUTE ON FUNCTION append_entries, keep_evidence, raise_finding TO audit_service;
