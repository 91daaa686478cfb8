-- What the signer has signed of the log, who has cosigned it, and what it is asked about subjects.
-- It reads the log as a role of its own and writes nothing but these, through functions that keep to one rule:
-- no two roots of one size.
CREATE TABLE signed_checkpoints (
    origin       text   NOT NULL,
    size         bigint NOT NULL CHECK (size >= 0),
    root         bytea  NOT NULL CHECK (length(root) = 32),
    note         text   NOT NULL,  -- with the signatures of the log's own keys
    signed_at    timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,  -- since when it has been cosigned by a quorum
    PRIMARY KEY (origin, size)
);
CREATE INDEX published_checkpoints ON signed_checkpoints (origin, size) WHERE published_at IS NOT NULL;

-- Of each witness and size the newest.
CREATE TABLE cosignatures (
    origin  text   NOT NULL,
    size    bigint NOT NULL,
    witness text   NOT NULL,  -- the name and
    key_id  bytea  NOT NULL,  -- the id of the key
    line    text   NOT NULL,
    time    bigint NOT NULL,  -- seconds since 1970, as the witness says
    PRIMARY KEY (origin, size, witness, key_id),
    FOREIGN KEY (origin, size) REFERENCES signed_checkpoints
);

-- How far have these subjects come? Answered with one signed note for each, all of one size.
CREATE TABLE subject_questions (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    origin      text   NOT NULL,
    kinds       text[] NOT NULL,
    refs        text[] NOT NULL CHECK (cardinality(refs) BETWEEN 1 AND 1000 AND cardinality(refs) = cardinality(kinds)),
    asked_at    timestamptz NOT NULL DEFAULT now(),
    size        bigint,
    notes       text[],
    answered_at timestamptz
);
CREATE INDEX open_questions ON subject_questions (id) WHERE answered_at IS NULL;

-- Keeps a checkpoint. The same again may bring other signatures (a new key); JD003: another root of that size.
CREATE FUNCTION store_checkpoint(of_log text, new_size bigint, new_root bytea, new_note text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO signed_checkpoints AS known (origin, size, root, note) VALUES (of_log, new_size, new_root, new_note)
    ON CONFLICT (origin, size) DO UPDATE SET note = new_note WHERE known.root = new_root;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another checkpoint of this size was signed' USING ERRCODE = 'JD003';
    END IF;
END $$;

-- Keeps cosignatures of a checkpoint, of each witness the newest; `quorum`: whether it may count as published.
CREATE FUNCTION add_cosignatures(
    of_log text, of_size bigint, names text[], key_ids bytea[], lines text[], times bigint[], quorum boolean
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO cosignatures AS known
    SELECT of_log, of_size, new.* FROM unnest(names, key_ids, lines, times) AS new
    ON CONFLICT (origin, size, witness, key_id) DO UPDATE SET line = excluded.line, time = excluded.time
     WHERE known.time < excluded.time;
    IF quorum THEN
        UPDATE signed_checkpoints SET published_at = now()
         WHERE origin = of_log AND size = of_size AND published_at IS NULL;
    END IF;
END $$;

-- Asks the signer; the question's id. Answers are kept for a day.
CREATE FUNCTION ask_subject_heads(of_log text, of_kinds text[], of_refs text[])
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM subject_questions WHERE asked_at < now() - interval '1 day';
    INSERT INTO subject_questions (origin, kinds, refs) VALUES (of_log, of_kinds, of_refs) RETURNING id;
$$;

-- Answers a question, once.
CREATE FUNCTION answer_subject_heads(question bigint, of_size bigint, signed_notes text[])
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE subject_questions SET size = of_size, notes = signed_notes, answered_at = now()
     WHERE id = question AND answered_at IS NULL;
$$;

REVOKE ALL ON FUNCTION store_checkpoint, add_cosignatures, ask_subject_heads, answer_subject_heads FROM PUBLIC;
GRANT SELECT ON signed_checkpoints, cosignatures, subject_questions TO audit_service;
GRANT EXECUTE ON FUNCTION ask_subject_heads TO audit_service;

GRANT USAGE ON SCHEMA public TO audit_signer;
GRANT EXECUTE ON FUNCTION restored TO audit_signer;
GRANT SELECT ON entries, subjects, tree_heads, tiles, findings TO audit_signer;
GRANT SELECT ON signed_checkpoints, cosignatures, subject_questions TO audit_signer;
GRANT EXECUTE ON FUNCTION store_checkpoint, add_cosignatures, answer_subject_heads, raise_finding TO audit_signer;
