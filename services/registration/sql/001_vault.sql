-- Personal data, encrypted per person (R207). Erasing is destroying the wrapped key: the row stays, unreadable.
CREATE TABLE vault (
    person       uuid PRIMARY KEY,
    number_index bytea UNIQUE,
    wrapped_key  bytea,
    sealed       bytea
);
GRANT SELECT, INSERT, UPDATE ON vault TO registration_service;
