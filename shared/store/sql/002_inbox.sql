-- How far a consumer (the policies, a projection, the audit log) has applied each source, and the hash there.
CREATE TABLE checkpoints (
    consumer text   NOT NULL,
    source   text   NOT NULL,
    position bigint NOT NULL,
    hash     bytea  NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (consumer, source)
);

-- Events that a handler could not take, each with the later events of its stream, until an operator
-- repairs the cause and replays them. Rows stay: what was done about an event is part of its history.
CREATE TABLE parked (
    consumer  text   NOT NULL,
    source    text   NOT NULL,
    position  bigint NOT NULL,
    stream    text   NOT NULL,
    type      text   NOT NULL,
    sealed    bytea  NOT NULL,
    reason    text   NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    status    text   NOT NULL DEFAULT 'parked' CHECK (status IN ('parked', 'replayed', 'skipped')),
    repaired  bytea,  -- the payload that an operator gave instead, as canonical JSON; the log keeps the original
    repair    text,   -- who repaired or skipped it, and why
    PRIMARY KEY (consumer, source, position)
);
CREATE INDEX parked_streams ON parked (consumer, source, stream) WHERE status = 'parked';

-- Bodies from the bus that are not events of ours. Kept, because dropping them would be quiet.
CREATE TABLE rejected (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    origin      text  NOT NULL,
    body        bytea NOT NULL,
    reason      text  NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);

-- Which build of a projection readers see, and which one is being built beside it.
CREATE TABLE projections (
    name     text PRIMARY KEY,
    live     int NOT NULL,
    building int
);
