-- 账号: who may log in as what, as their events tell it; an appointment is spelled role@body
CREATE TABLE accounts (
    account      uuid PRIMARY KEY,
    open         boolean NOT NULL DEFAULT true,
    appointments text[]  NOT NULL DEFAULT '{}',
    locked_until text    NOT NULL DEFAULT ''
);
