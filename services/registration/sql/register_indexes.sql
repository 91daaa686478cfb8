-- what reviewers decide by, and what came of it; of applications from before these columns, a rebuild finds it
ALTER TABLE applications
    ADD COLUMN IF NOT EXISTS kind             text   NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS education        text   NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS held_level       int,
    ADD COLUMN IF NOT EXISTS years_in_trade   int,
    ADD COLUMN IF NOT EXISTS evidence         text[] NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS station_reviewer text   NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS centre_reviewer  text   NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS clause           text   NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS reason           text   NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS room             text   NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS seat             int,
    ADD COLUMN IF NOT EXISTS theory_at        text   NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS practical_at     text   NOT NULL DEFAULT '';
-- what lists of applications are read by, newest first
CREATE INDEX IF NOT EXISTS applications_of_station ON applications (station, application);
CREATE INDEX IF NOT EXISTS applications_in_status ON applications (status, station, application);
CREATE INDEX IF NOT EXISTS applications_by_ticket ON applications (ticket) WHERE ticket <> '';
CREATE INDEX IF NOT EXISTS applications_of_status ON applications (status, application);
