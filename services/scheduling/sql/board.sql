-- 考务看板: one row per batch, as its events tell it
CREATE TABLE batches (
    batch        uuid  PRIMARY KEY,
    station      text  NOT NULL,
    occupation   text  NOT NULL,
    catalogue    text  NOT NULL,
    levels       int[] NOT NULL,
    planned      int   NOT NULL,
    theory_at    text  NOT NULL,
    practical_at text  NOT NULL,
    stage        text  NOT NULL,
    notice       text  NOT NULL DEFAULT ''
);
CREATE INDEX batches_of_station ON batches (station, batch);

-- 考场安排表: one row per enrolled candidate. No blind code: whoever reads both sees through it (R070)
CREATE TABLE sittings (
    application uuid PRIMARY KEY,
    candidate   uuid NOT NULL,
    batch       uuid NOT NULL,
    level       int  NOT NULL,
    room        text NOT NULL DEFAULT '',
    seat        int  NOT NULL DEFAULT 0,
    ticket      text NOT NULL DEFAULT '',
    status      text NOT NULL
);
CREATE INDEX sittings_of_batch ON sittings (batch, application);
