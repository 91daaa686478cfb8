-- Which events of this service's own log name a batch: how many, the first and last position, and the chain over
-- their hashes. The consumer "tally" keeps it with its checkpoint, so it is exact for the log up to there.
CREATE TABLE tallies (
    batch  text   PRIMARY KEY,
    events bigint NOT NULL CHECK (events > 0),
    first  bigint NOT NULL CHECK (first > 0),
    last   bigint NOT NULL CHECK (last >= first),
    chain  bytea  NOT NULL CHECK (length(chain) = 32)
);
