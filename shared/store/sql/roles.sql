-- Rights of a service's two programs on its own database; {service} and {relay} are their roles.
-- The owner makes tables and has no login; nobody but the append functions writes the log.
GRANT USAGE ON SCHEMA public TO {service}, {relay};
GRANT SELECT ON ALL TABLES IN SCHEMA public TO {service};
GRANT EXECUTE ON FUNCTION append, note_duties TO {service};
GRANT EXECUTE ON FUNCTION restored TO {service}, {relay};
GRANT INSERT, UPDATE, DELETE ON checkpoints, parked, projections TO {service};
GRANT INSERT, UPDATE ON tallies TO {service};
GRANT INSERT ON rejected TO {service};
GRANT SELECT ON events, log, heads, relay TO {relay};
GRANT INSERT ON log, heads TO {relay};
GRANT UPDATE ON relay TO {relay};
GRANT SELECT, INSERT, UPDATE ON heartbeat TO {relay};
