-- 报名登记表 (F2): one row per application, as its events tell it
CREATE TABLE applications (
    application uuid PRIMARY KEY,
    candidate   uuid NOT NULL,
    batch       uuid NOT NULL,
    station     text NOT NULL,
    occupation  text NOT NULL,
    level       int  NOT NULL,
    status      text NOT NULL,
    ticket      text NOT NULL DEFAULT '',
    outcome     text NOT NULL DEFAULT ''
);
CREATE INDEX applications_of_batch ON applications (batch, application);
CREATE INDEX applications_of_candidate ON applications (candidate);
