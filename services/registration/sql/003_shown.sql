-- Nonces of ID tokens that have opened a session, by hash, until the tokens have expired: each opens one.
CREATE TABLE shown (
    hash  bytea PRIMARY KEY,
    until timestamptz NOT NULL
);
CREATE INDEX shown_by_age ON shown (until);

GRANT SELECT, INSERT, DELETE ON shown TO registration_service;
