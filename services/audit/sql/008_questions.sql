-- What the signer has answered of somebody is found again by whoever reads the trail of the same subjects.
CREATE INDEX answers_about ON subject_questions (origin, kinds, refs, size) WHERE cardinality(refs) <= 4;
CREATE INDEX questions_by_age ON subject_questions (asked_at);
