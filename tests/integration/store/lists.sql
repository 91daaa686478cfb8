-- Many rows for the lists of four services. `id(n)` is a UUID that grows with n; a hundred rows belong to one
-- batch, and a hundred stations share all of them.
CREATE FUNCTION pg_temp.id(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT lpad(to_hex(n), 32, '0')::uuid $$;
CREATE FUNCTION pg_temp.one(n bigint, VARIADIC words text[]) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT words[1 + n / 100 % cardinality(words)] $$;
CREATE FUNCTION pg_temp.at(n bigint) RETURNS text LANGUAGE sql STABLE AS
$$ SELECT to_char(timestamp '2026-01-01' + n * interval '1 hour', 'YYYY-MM-DD"T"HH24:MI:SS".000000Z"') $$;

-- of registration
;INSERT INTO register_1.applications
SELECT pg_temp.id(n), pg_temp.id(n + 9000000), pg_temp.id(n / 100), (10000000 + n % 100)::text, 'welder', 4,
       pg_temp.one(n, 'submitted', 'station_passed', 'ticketed', 'concluded'),
       upper(translate(lpad(to_hex(n), 16, '2'), '01', '23')), ''
  FROM generate_series(1, :rows) AS n;

-- of scheduling
;INSERT INTO board_1.batches
SELECT pg_temp.id(n), (10000000 + n % 100)::text, 'welder', '1999', '{4}', 30, pg_temp.at(n), pg_temp.at(n),
       pg_temp.one(n, 'applied', 'noticed', 'supplied', 'seated'), ''
  FROM generate_series(1, :rows) AS n;
INSERT INTO board_1.sittings
SELECT pg_temp.id(n), pg_temp.id(n + 9000000), pg_temp.id(n / 100), 4, 'A', 1, 'T', 'ticketed'
  FROM generate_series(1, :rows) AS n;
INSERT INTO panels_1.panels
SELECT pg_temp.id(n / 4), pg_temp.id(n % 50)::text, 'theory', false
  FROM generate_series(1, :rows) AS n ON CONFLICT DO NOTHING;

-- of scoring
;INSERT INTO scores_1.results
SELECT pg_temp.id(n), pg_temp.id(n + 9000000), pg_temp.id(n / 100), '10000007', n % 101, n * 7 % 101, n % 2 = 0,
       'rule', pg_temp.one(n, 'combined', 'reviewed', 'published', 'published')
  FROM generate_series(1, :rows) AS n;
INSERT INTO desks_1.desks
SELECT pg_temp.id(n % 50)::text, 'B-' || n, 'B', pg_temp.id(n / 100), 'theory', '',
       pg_temp.one(n, 'open', 'scored'), false
  FROM generate_series(1, :rows) AS n;

-- of certification
;INSERT INTO certificates_1.certificates
SELECT lpad(n::text, 16, '0'), pg_temp.id(n), pg_temp.id(n + 9000000), pg_temp.id(n / 100), '10000007', 'welder',
       '1999', 4, 70, 70, ''
  FROM generate_series(1, :rows) AS n;
INSERT INTO certificates_1.dossiers
SELECT pg_temp.id(n), pg_temp.id(n + 9000000), pg_temp.id(n / 100), '10000007', 'welder', '1999', 4,
       '{registered,published}', true, CASE WHEN n % 50 = 0 THEN 'open' ELSE 'issued' END, ''
  FROM generate_series(1, :rows) AS n;
