-- what lists of applications are read by, newest first
CREATE INDEX IF NOT EXISTS applications_of_station ON applications (station, application);
CREATE INDEX IF NOT EXISTS applications_in_status ON applications (status, station, application);
CREATE INDEX IF NOT EXISTS applications_by_ticket ON applications (ticket) WHERE ticket <> '';
CREATE INDEX IF NOT EXISTS applications_of_status ON applications (status, application);
