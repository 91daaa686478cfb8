"""What can go wrong with a database, in our words."""

from psycopg import errors

from shared.kernel.errors import Conflict


class Restored(errors.OperationalError):
    """这个数据库是从备份导出文件恢复的；请先运行 `jianding migrate`。

    This database was restored from a dump; run `jianding migrate` first.
    """


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
