"""Five services; each decides on its own data, and they meet only through events and calls."""

import shared  # noqa: F401 - first, whichever module is asked for: it says how psycopg shall wait
