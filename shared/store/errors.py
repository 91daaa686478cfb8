"""What can go wrong with a database, in our words."""

from psycopg import errors

from shared.kernel.errors import Conflict

# the connection or the server is gone, a deadlock was broken, the disk is full: try again, it is not us
PASSING = (
    errors.OperationalError,
    errors.InterfaceError,
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.InsufficientResources,
    errors.OperatorIntervention,
    Conflict,
)
