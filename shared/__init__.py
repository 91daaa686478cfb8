"""Mechanism and the published language; decisions live in `services`.

psycopg reads `PSYCOPG_WAIT_FUNC` when it is imported, and would otherwise wait in C, which blocks every
greenlet of the process: so it is set here, before anything of ours imports psycopg.
"""

import os

os.environ["PSYCOPG_WAIT_FUNC"] = "wait_select"
