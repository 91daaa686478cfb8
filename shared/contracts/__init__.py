"""The published language: every event of every service. Wire names are permanent, no field is personal data.

`candidate` is an opaque person, `station` an eight-digit body code (P8), `level` 5 (lowest) to 1,
`occupation` a trade of the catalogue named by `catalogue`. Digests are lower-case hex sha256.
"""

SERVICES = ("registration", "scheduling", "scoring", "certification", "audit")
SOURCES = ("registration", "scheduling", "scoring", "certification")
