"""Events, aggregates, actors, errors, ids, time. Standard library only."""
