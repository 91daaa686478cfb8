-- 评分表: what examiners see. No candidate, no application, no score stands here (R070)
CREATE TABLE sheets (
    sheet      text PRIMARY KEY,
    blind_code text NOT NULL,
    batch      uuid NOT NULL,
    part       text NOT NULL,
    paper      text NOT NULL,
    examiners  text[] NOT NULL,
    status     text NOT NULL
);
CREATE INDEX sheets_of_batch ON sheets (batch, sheet);

-- 成绩册: one row per application that was checked in
CREATE TABLE results (
    application uuid PRIMARY KEY,
    candidate   uuid NOT NULL,
    batch       uuid NOT NULL,
    station     text NOT NULL,
    theory      int,
    practical   int,
    passed      boolean,
    rule        text NOT NULL DEFAULT '',
    status      text NOT NULL
);
CREATE INDEX results_of_batch ON results (batch, application);
