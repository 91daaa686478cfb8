-- Which batches are closed, by which event: each deciding source has to state what it has of them.
CREATE TABLE closed_batches (
    batch    text   PRIMARY KEY,
    source   text   NOT NULL,
    position bigint NOT NULL CHECK (position > 0)
);
GRANT SELECT, INSERT ON closed_batches TO audit_service;
