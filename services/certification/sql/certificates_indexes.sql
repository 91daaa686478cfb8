-- what lists of dossiers and certificates are read by
CREATE INDEX IF NOT EXISTS dossiers_waiting ON dossiers (application) WHERE passed AND status = 'open';
CREATE INDEX IF NOT EXISTS certificates_of_candidate ON certificates (candidate);
