-- Audit speaks: whoever raises a finding says so in audit's own log, in the same transaction.
DROP FUNCTION raise_finding(text, text, bigint, bigint, bigint, bigint, jsonb);

-- Raises a finding, once; its id if it is new. `said` is the drafted event about it, `event` the id of its
-- stream and of its command: a finding that is known already is not said again.
CREATE FUNCTION raise_finding(
    what text, about_source text, from_position bigint, to_position bigint, from_index bigint, to_index bigint,
    detail jsonb, event uuid, said bytea
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    raised bigint;
BEGIN
    INSERT INTO findings (kind, source, first_position, last_position, first_index, last_index, detail)
    VALUES (what, about_source, from_position, to_position, from_index, to_index, detail)
    ON CONFLICT DO NOTHING RETURNING id INTO raised;
    IF raised IS NOT NULL THEN
        PERFORM append(
            'finding-' || event, 0, ARRAY[said], event, ''::bytea, '{}'::bytea, '{}', '{}', '{}', '{}', '{}', '{}'
        );
    END IF;
    RETURN raised;
END $$;

REVOKE ALL ON FUNCTION raise_finding FROM PUBLIC;
GRANT EXECUTE ON FUNCTION raise_finding TO audit_service, audit_signer;
