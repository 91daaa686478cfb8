-- What the source said last about its log, signed with the time: its relay states it every few seconds, also when
-- nothing happens, so that silence can be told from calm.
CREATE TABLE heartbeat (
    single    boolean PRIMARY KEY DEFAULT true CHECK (single),
    position  bigint NOT NULL,
    hash      bytea  NOT NULL CHECK (length(hash) = 32),
    time      text   NOT NULL,  -- a stamp, as signed
    signature bytea  NOT NULL
);
