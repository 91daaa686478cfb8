-- Who may log in: the name encrypted, findable by a keyed hash; the password as argon2id, NULL where there is none.
CREATE TABLE logins (
    account     uuid PRIMARY KEY,
    finder      bytea UNIQUE,
    wrapped_key bytea NOT NULL,
    sealed      bytea NOT NULL,
    password    text
);
-- The log-ins of others (OpenID Connect) that open an account: a keyed hash of issuer and subject.
CREATE TABLE links (
    finder  bytea PRIMARY KEY,
    account uuid  NOT NULL REFERENCES logins
);
CREATE INDEX links_of_account ON links (account);

-- From a log-in to its end. Refresh tokens are kept as hashes; one that has a successor was used.
CREATE TABLE sessions (
    session     uuid PRIMARY KEY,
    account     uuid NOT NULL REFERENCES logins,
    appointment text NOT NULL,
    expires_at  timestamptz NOT NULL,
    ended       boolean NOT NULL DEFAULT false
);
CREATE INDEX sessions_of_account ON sessions (account);
CREATE INDEX sessions_by_end ON sessions (expires_at);
CREATE TABLE refreshes (
    hash      bytea PRIMARY KEY,
    session   uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    successor bytea
);
CREATE INDEX refreshes_of_session ON refreshes (session);

-- Wrong passwords of late, by keyed hash of the name that was tried, and of the address they came from.
CREATE TABLE guesses (
    finder       bytea PRIMARY KEY,
    failures     int NOT NULL,
    last_at      timestamptz NOT NULL,
    locked_until timestamptz
);
CREATE INDEX guesses_by_age ON guesses (last_at);

GRANT SELECT, INSERT, UPDATE ON logins TO registration_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON links, sessions, refreshes, guesses TO registration_service;
