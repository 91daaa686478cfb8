-- 职业资格证书发放登记表 (R131): one row per certificate
CREATE TABLE certificates (
    number          text PRIMARY KEY,
    application     uuid NOT NULL,
    candidate       uuid NOT NULL,
    batch           uuid NOT NULL,
    station         text NOT NULL,
    occupation      text NOT NULL,
    catalogue       text NOT NULL,
    level           int  NOT NULL,
    theory          int  NOT NULL,
    practical       int  NOT NULL,
    evidence_digest text NOT NULL,
    issued_at       text NOT NULL DEFAULT ''
);
CREATE INDEX certificates_of_batch ON certificates (batch, number);

-- 证书档案: which links of the chain are present (R132). Evidence may arrive before the registration
CREATE TABLE dossiers (
    application uuid PRIMARY KEY,
    candidate   uuid NOT NULL,
    batch       uuid NOT NULL,
    station     text NOT NULL DEFAULT '',
    occupation  text NOT NULL DEFAULT '',
    catalogue   text NOT NULL DEFAULT '',
    level       int,
    links       text[] NOT NULL DEFAULT '{}',
    passed      boolean,
    status      text NOT NULL DEFAULT 'open',
    number      text NOT NULL DEFAULT ''
);
CREATE INDEX dossiers_of_batch ON dossiers (batch);
