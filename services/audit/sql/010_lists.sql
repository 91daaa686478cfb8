-- What lists of findings are read by: of one kind, or of one kind about one source.
CREATE INDEX findings_of_kind ON findings (kind, id);
CREATE INDEX findings_of_kind_and_source ON findings (kind, source, id);
