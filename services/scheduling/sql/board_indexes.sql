-- of draws from before this column, a rebuild finds the paper: its opaque id, and nothing of what it asks (R081)
ALTER TABLE sittings ADD COLUMN IF NOT EXISTS paper text NOT NULL DEFAULT '';
-- what lists of batches and rooms are read by
CREATE INDEX IF NOT EXISTS batches_in_stage ON batches (stage, batch);
CREATE INDEX IF NOT EXISTS batches_by_theory ON batches (station, theory_at);
CREATE INDEX IF NOT EXISTS batches_by_practical ON batches (station, practical_at);
CREATE INDEX IF NOT EXISTS batches_of_station_in_stage ON batches (stage, station, batch);
