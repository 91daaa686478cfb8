-- 核验任务: who had the log verified, how far it has come, and what was found. Kept, and seen by every replica.
CREATE TABLE checks (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asked_by   text   NOT NULL,
    asked_at   timestamptz NOT NULL DEFAULT now(),
    touched_at timestamptz NOT NULL DEFAULT now(),  -- a task that is not touched any more has ended with its process
    done       bigint NOT NULL DEFAULT 0,
    whole      bigint NOT NULL,
    cancelled  boolean NOT NULL DEFAULT false,
    ended_at   timestamptz,
    verdict    json
);
GRANT SELECT, INSERT, UPDATE ON checks TO audit_service;
