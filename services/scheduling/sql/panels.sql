-- 考评组: who examines which part of a batch
CREATE TABLE panels (
    batch    uuid    NOT NULL,
    examiner text    NOT NULL,
    part     text    NOT NULL,
    head     boolean NOT NULL,
    PRIMARY KEY (batch, examiner, part)
);
CREATE INDEX panels_of_examiner ON panels (examiner, batch);
