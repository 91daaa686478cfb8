-- Up to which position a source has stated, by its first `BatchSealed`, what it has of a batch: what comes behind is
-- late. Written once and never changed.
CREATE TABLE sealed_batches (
    source text   NOT NULL,
    batch  text   NOT NULL,
    upto   bigint NOT NULL CHECK (upto >= 0),
    PRIMARY KEY (source, batch)
);
GRANT SELECT, INSERT ON sealed_batches TO audit_service;
