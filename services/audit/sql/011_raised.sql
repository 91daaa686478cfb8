-- A finding is told unless its event is there, and not: unless its row is. Whoever owns the database can write a
-- row beforehand, whose place is known; the event is a leaf of the log.
DROP FUNCTION raise_finding(text, text, bigint, bigint, bigint, bigint, jsonb, uuid, bytea);

-- Raises a finding, once. `said` is the drafted event about it, `event` the id of its stream and of its command,
-- which follows from what is found. False: something else stands in that place, and another id is needed.
CREATE FUNCTION raise_finding(
    what text, about_source text, from_position bigint, to_position bigint, from_index bigint, to_index bigint,
    detail jsonb, event uuid, said bytea
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    wanted CONSTANT jsonb := convert_from(said, 'UTF8');
    known jsonb;
BEGIN
    INSERT INTO findings (kind, source, first_position, last_position, first_index, last_index, detail)
    VALUES (what, about_source, from_position, to_position, from_index, to_index, detail)
    ON CONFLICT DO NOTHING;
    BEGIN
        SELECT convert_from(draft, 'UTF8') INTO known
          FROM events WHERE stream = 'finding-' || event ORDER BY version LIMIT 1;
        IF FOUND THEN
            RETURN known -> 'type' = wanted -> 'type' AND known -> 'data' = wanted -> 'data';
        END IF;
        PERFORM append(
            'finding-' || event, 0, ARRAY[said], event, ''::bytea, '{}'::bytea, '{}', '{}', '{}', '{}', '{}', '{}'
        );
        RETURN true;
    EXCEPTION WHEN data_exception OR unique_violation THEN
        RETURN false;
    END;
END $$;

REVOKE ALL ON FUNCTION raise_finding FROM PUBLIC;
GRANT EXECUTE ON FUNCTION raise_finding TO audit_service, audit_signer;
