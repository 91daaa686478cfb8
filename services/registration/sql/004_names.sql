-- Whoever has a name is found by a keyed hash of it, and by no part of it; equal names have equal hashes.
ALTER TABLE vault ADD COLUMN name_index bytea;
CREATE INDEX vault_by_name ON vault (name_index, person);
-- enrolled before there was such a hash: the first search gives them one
CREATE INDEX vault_without_name ON vault (person) WHERE name_index IS NULL AND sealed IS NOT NULL;
