-- what a station's reviewer is shown
CREATE INDEX IF NOT EXISTS proposals_of_station ON proposals (station, sheet);
