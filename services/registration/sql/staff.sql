-- 任职: one row per appointment of an account that is open, as their events tell it
CREATE TABLE appointments (
    account uuid NOT NULL,
    role    text NOT NULL,
    body    text NOT NULL,
    PRIMARY KEY (role, account, body)
);
CREATE INDEX appointments_of_account ON appointments (account);
CREATE INDEX appointments_at_body ON appointments (role, body, account);

-- 考前培训: one row per training that was held (R198)
CREATE TABLE trainings (
    training   uuid PRIMARY KEY,
    batch      uuid NOT NULL,
    station    text NOT NULL,
    occupation text NOT NULL,
    trainer    text NOT NULL,
    trainees   int  NOT NULL,
    hours      int  NOT NULL,
    held_at    text NOT NULL
);
CREATE INDEX trainings_of_station ON trainings (station, training);
