"""What callers ask of audit."""

from services.audit.trails import KINDS
from shared.wire.schemas import Choice, Id, Many, Moment, Number, QuerySchema, Text


class Entries(QuerySchema):
    after = Number(-1, 2**53, required=False, load_default=-1)
    limit = Number(1, 1000, required=False, load_default=500)


class Trail(QuerySchema):
    key = "index"

    kind = Choice(*KINDS)
    id = Text(80)
    after = Number(-1, 2**53, required=False, load_default=-1)
    limit = Number(1, 1000, required=False, load_default=100)
    as_of = Moment(required=False, load_default="")
    types = Many(Text(80), 0, 100, required=False, load_default=())
    actor = Text(80, required=False, load_default="")
    since = Moment(required=False, load_default="")
    until = Moment(required=False, load_default="")


class Findings(QuerySchema):
    key = "id"

    after = Number(0, 2**53, required=False, load_default=0)
    limit = Number(1, 1000, required=False, load_default=100)
    kind = Text(40, required=False, load_default="")
    source = Text(200, required=False, load_default="")


class CheckOf(QuerySchema):
    id = Number(1, 2**53)


class Checks(QuerySchema):
    key = "id"

    after = Number(1, 2**53, required=False, load_default=2**53)
    limit = Number(1, 100, required=False, load_default=20)


class NewestEntries(QuerySchema):
    after = Number(-1, 2**53, required=False, load_default=-1)
    limit = Number(1, 200, required=False, load_default=50)


class LooksOf(QuerySchema):
    actor = Text(80)
    before = Number(0, 2**53, required=False, load_default=2**53)
    limit = Number(1, 200, required=False, load_default=50)


class EntryOf(QuerySchema):
    id = Id()


class Together(QuerySchema):
    id = Id()
    at = Number(0, 2**53)


class Pace(QuerySchema):
    minutes = Number(1, 240, required=False, load_default=60)


class BundleOf(QuerySchema):
    kind = Choice(*KINDS)
    id = Text(80)


class Nothing(QuerySchema):
    """No arguments."""
