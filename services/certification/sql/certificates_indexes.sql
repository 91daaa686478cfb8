-- of certificates from before this column, a rebuild finds the time
ALTER TABLE certificates ADD COLUMN IF NOT EXISTS issued_at text NOT NULL DEFAULT '';
-- what lists of dossiers and certificates are read by
CREATE INDEX IF NOT EXISTS dossiers_waiting ON dossiers (application) WHERE passed AND status = 'open';
CREATE INDEX IF NOT EXISTS certificates_of_candidate ON certificates (candidate);
CREATE INDEX IF NOT EXISTS dossiers_waiting_at_station ON dossiers (station, application)
    WHERE passed AND status = 'open';
