-- a station's administrator is shown accounts by their appointments, which are rows of their own (staff.sql)
DROP INDEX IF EXISTS accounts_by_appointment;
