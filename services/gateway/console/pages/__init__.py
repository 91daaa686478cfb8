"""The rooms of the console, in the order of the menu. A new one is a module here and a line below."""

from services.gateway.console.pages import (
    batches,
    centre,
    certificates,
    day,
    door,
    examining,
    operating,
    own,
    public,
    results,
    station,
    supervision,
)

ROOMS = (
    door.room,
    station.room,
    batches.room,
    day.room,
    centre.room,
    examining.room,
    results.room,
    certificates.room,
    supervision.room,
    operating.room,
    own.room,
    public.room,
)
