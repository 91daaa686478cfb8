-- 评分明细: for whoever reviews a result. The one table in which a blind code stands beside an application (R070)
CREATE TABLE marks (
    sheet        text    PRIMARY KEY,
    application  uuid    NOT NULL,
    blind_code   text    NOT NULL,
    batch        uuid    NOT NULL,
    station      text    NOT NULL,
    part         text    NOT NULL,
    paper        text    NOT NULL,
    panel        text[]  NOT NULL,
    examiner     text    NOT NULL DEFAULT '',
    score        int,
    sheet_digest text    NOT NULL DEFAULT '',
    signed       boolean NOT NULL DEFAULT false,
    status       text    NOT NULL
);
CREATE INDEX marks_of_application ON marks (application, sheet);

-- 更正: proposed, and approved by a second person or not yet (R115)
CREATE TABLE corrections (
    sheet       text NOT NULL,
    proposed_at text NOT NULL,
    old         int  NOT NULL,
    new         int  NOT NULL,
    reason      text NOT NULL,
    proposer    text NOT NULL,
    approver    text NOT NULL DEFAULT ''
);
CREATE INDEX corrections_of_sheet ON corrections (sheet, proposed_at);
