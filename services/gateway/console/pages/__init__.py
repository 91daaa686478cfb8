"""The rooms of the console, in the order of the menu. A new one is a module here and a line below."""

from services.gateway.console.pages import (
    accounts,
    applying,
    batches,
    certificates,
    day,
    door,
    examiners,
    examining,
    identity,
    operating,
    own,
    public,
    results,
    supervision,
    training,
)

ROOMS = (
    door.room,
    applying.room,  # the station's
    identity.room,
    training.room,
    batches.room,
    day.room,
    examiners.room,  # the centre's
    examining.room,
    results.room,
    certificates.room,
    supervision.room,
    operating.room,
    accounts.room,
    own.room,
    public.room,
)
