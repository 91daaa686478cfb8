-- 考评员的评分表: one row per sheet and examiner of its panel. Like sheets, it names no candidate (R070)
CREATE TABLE desks (
    examiner   text NOT NULL,
    sheet      text NOT NULL,
    blind_code text NOT NULL,
    batch      uuid NOT NULL,
    part       text NOT NULL,
    paper      text NOT NULL,
    status     text NOT NULL,
    signed     boolean NOT NULL DEFAULT false,
    PRIMARY KEY (examiner, sheet)
);
CREATE INDEX desks_in_status ON desks (examiner, status, sheet);
CREATE INDEX desks_of_sheet ON desks (sheet);

-- 待批准的更正: what a second person has to decide about (R115)
CREATE TABLE proposals (
    sheet    text PRIMARY KEY,
    batch    uuid NOT NULL,
    station  text NOT NULL,
    part     text NOT NULL,
    old      int  NOT NULL,
    new      int  NOT NULL,
    reason   text NOT NULL,
    proposer text NOT NULL
);

-- 签名密钥: the newest of each examiner
CREATE TABLE keys (
    examiner   text PRIMARY KEY,
    public_key text NOT NULL
);
