-- Another body that contradicts the log is another finding, also of the same source and at the same place.
DROP INDEX findings_once;
CREATE UNIQUE INDEX findings_once ON findings (
    kind, source, coalesce(first_position, -1), coalesce(last_position, -1),
    coalesce(first_index, -1), coalesce(last_index, -1),
    coalesce(detail ->> 'since', ''), coalesce(detail ->> 'evidence', '')
);
