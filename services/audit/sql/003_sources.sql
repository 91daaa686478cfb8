-- What audit remembers of each source: the furthest head that it has stated, signed, and what was found about it.
-- Nobody takes a head back: `keep_head` refuses one that is behind.
CREATE TABLE source_heads (
    source    text PRIMARY KEY,
    position  bigint NOT NULL CHECK (position >= 0),
    hash      text   NOT NULL,
    stated_at text   NOT NULL,  -- as signed; empty while nothing was stated
    looked    bigint NOT NULL CHECK (looked >= 0),  -- entries up to this position were looked at for lateness
    record    jsonb  NOT NULL
);

-- A source may fall silent twice at one position: what began at another time is another finding.
DROP INDEX findings_once;
CREATE UNIQUE INDEX findings_once ON findings (
    kind, source, coalesce(first_position, -1), coalesce(last_position, -1),
    coalesce(first_index, -1), coalesce(last_index, -1), coalesce(detail ->> 'since', '')
);
CREATE INDEX findings_of_source ON findings (source, id);

-- Keeps what is remembered of a source. JD004: the head, or what was looked at, would go back.
CREATE FUNCTION keep_head(
    of_source text, new_position bigint, new_hash text, new_stated_at text, new_looked bigint, new_record jsonb
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO source_heads AS known
    VALUES (of_source, new_position, new_hash, new_stated_at, new_looked, new_record)
    ON CONFLICT (source) DO UPDATE
       SET (position, hash, stated_at, looked, record) = (new_position, new_hash, new_stated_at, new_looked, new_record)
     WHERE known.position <= new_position AND known.looked <= new_looked AND known.stated_at <= new_stated_at;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the head of a source does not go back' USING ERRCODE = 'JD004';
    END IF;
END $$;

REVOKE ALL ON FUNCTION keep_head FROM PUBLIC;
GRANT SELECT ON source_heads TO audit_service;
GRANT EXECUTE ON FUNCTION keep_head TO audit_service;
