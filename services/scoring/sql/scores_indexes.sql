-- what lists of results are read by
CREATE INDEX IF NOT EXISTS results_in_status ON results (status, application);
CREATE INDEX IF NOT EXISTS results_of_candidate ON results (candidate);
CREATE INDEX IF NOT EXISTS results_of_station_in_status ON results (status, station, application);
