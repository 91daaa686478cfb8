-- whom a station's administrator is shown
CREATE INDEX IF NOT EXISTS accounts_by_appointment ON accounts USING gin (appointments)
    WITH (fastupdate = off);  -- accounts are seldom written, and what waits would be read by every list
