-- A database that was restored from a dump lives among transaction numbers lower than those its events bear.
-- Nothing appended there would be sealed, and no stream could go on: `rebase` gives the old events numbers that
-- lie before all others, `restored` lets nobody in until then.

-- Whether some event, or the sealer's mark, bears a transaction number that this server has yet to reach.
CREATE FUNCTION restored() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT greatest((SELECT xid FROM events ORDER BY xid DESC, seq DESC LIMIT 1), (SELECT xid FROM relay))
           >= pg_snapshot_xmax(pg_current_snapshot());
$$;

-- Keeps what was sealed before what was not. Among the latter `seq` alone keeps each stream's order: a version
-- takes its number only once the version before it is committed.
CREATE FUNCTION rebase() RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    LOCK TABLE events, relay IN EXCLUSIVE MODE;
    UPDATE events SET xid = CASE WHEN (events.xid, events.seq) <= (relay.xid, relay.seq) THEN '0' ELSE '1' END::xid8
      FROM relay;
    UPDATE relay SET xid = '0', seq = coalesce((SELECT max(seq) FROM events WHERE xid = '0'), 0);
END $$;
REVOKE ALL ON FUNCTION restored, rebase FROM PUBLIC;
