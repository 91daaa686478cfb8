-- The audit log: every sealed event of every source, in the order received, each a leaf of a Merkle tree.
-- Nobody but append_entries writes it; the service's role has no right to (R153).
CREATE TABLE entries (
    index       bigint PRIMARY KEY CHECK (index >= 0),
    source      text   NOT NULL,
    position    bigint NOT NULL,
    event_id    uuid   NOT NULL UNIQUE,
    type        text   NOT NULL,
    actor       text   NOT NULL,
    role        text   NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    sealed      bytea  NOT NULL,
    UNIQUE (source, position)
);

-- Who and what an entry is about, as its `refs` and its actor say.
CREATE TABLE subjects (
    kind  text   NOT NULL,
    ref   text   NOT NULL,
    index bigint NOT NULL REFERENCES entries,
    PRIMARY KEY (kind, ref, index)
);

-- The tree after each append: its root, and the peaks that the next append goes on from.
CREATE TABLE tree_heads (
    size    bigint PRIMARY KEY CHECK (size > 0),
    root    bytea  NOT NULL CHECK (length(root) = 32),
    peaks   bytea  NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now()
);

-- Appends entries from index `first` on with the tree that follows from them. JD001: somebody appended first.
CREATE FUNCTION append_entries(
    first bigint, from_sources text[], positions bigint[], ids uuid[], types text[], actors text[], roles text[],
    bodies bytea[], subject_kinds text[], subject_refs text[], subject_offsets int[], new_root bytea, new_peaks bytea
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1);
    IF first <> coalesce((SELECT max(size) FROM tree_heads), 0) THEN
        RAISE EXCEPTION 'the log has moved on' USING ERRCODE = 'JD001';
    END IF;
    INSERT INTO entries (index, source, position, event_id, type, actor, role, sealed)
    SELECT first + place - 1, source, pos, id, kind, who, role, body
      FROM unnest(from_sources, positions, ids, types, actors, roles, bodies) WITH ORDINALITY
        AS new (source, pos, id, kind, who, role, body, place);
    INSERT INTO subjects SELECT kind, ref, first + place
      FROM unnest(subject_kinds, subject_refs, subject_offsets) AS new (kind, ref, place);
    INSERT INTO tree_heads (size, root, peaks) VALUES (first + cardinality(ids), new_root, new_peaks);
END $$;
REVOKE ALL ON FUNCTION append_entries FROM PUBLIC;
GRANT SELECT ON entries, subjects, tree_heads TO audit_service;
GRANT EXECUTE ON FUNCTION append_entries TO audit_service;
