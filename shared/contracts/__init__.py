"""The published language: every event of every service. Wire names are permanent, no field is personal data.

`candidate` is an opaque person, `station` an eight-digit body code (P8), `level` 5 (lowest) to 1,
`occupation` a trade of the catalogue named by `catalogue`. Digests are lower-case hex sha256.
"""

DECIDING = ("registration", "scheduling", "scoring", "certification")
SERVICES = (*DECIDING, "audit")
SOURCES = SERVICES  # audit has a log of its own, and is audited like everybody

# events of looking and trying: they give nobody a duty, and do not belong to a batch's life
ASIDE = frozenset({"AttemptRefused", "BundleMade", "FindingRaised", "SensitiveRead", "TrailRead"})
