"""Which failures pass: of a network, a store, a database, a broker or a full disk, not of the work itself."""

import errno
import os
from collections.abc import Iterator
from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from kombu.exceptions import OperationalError as BrokerError

# A damaged disk, or a file that is not there, does not mend itself. A full one is cleared by somebody.
LASTING = {
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EIO,
    errno.EEXIST,
}
# A full disk, in the words of libraries that pass on no number: safetensors, programs that encode, other processes.
NO_ROOM = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))
# Of a store's refusals: too slow, too many, and what is wrong on its side.
BUSY = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


def is_transient(error: BaseException) -> bool:
    """Whether trying again later may well succeed: by the error's own kind or by what caused it."""
    return any(_passes(one) for one in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from, each once."""
    seen: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in seen:
        yield following
        seen.append(following)
        following = following.__cause__


def is_of_a_store(error: BaseException) -> bool:
    """Whether a bucket's client raised it, whether it passes by itself or not."""
    kinds = (kind for one in _chain(error) for kind in type(one).__mro__)
    return any(kind.__module__.partition(".")[0] in ("botocore", "boto3") for kind in kinds)


def _passes(error: BaseException) -> bool:
    if isinstance(error, (OperationalError, InterfaceError, BrokerError)):
        return True
    if isinstance(error, OSError) and _is_of_the_system(error):
        return error.errno not in LASTING
    if any(words in str(error) for words in NO_ROOM):
        return True
    return _from_a_store(error)  # of which some are OSErrors too, without a number


def _is_of_the_system(error: OSError) -> bool:
    """Whether a network or the system refused; picture libraries raise OSError without a number for bad pictures."""
    return error.errno is not None or isinstance(error, (ConnectionError, TimeoutError))


def _from_a_store(error: BaseException) -> bool:
    """Of botocore and redis, which only some installations have: known by their names, not imported."""
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
    if "botocore.exceptions.ClientError" in names:
        status = getattr(error, "response", {}).get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status in BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    own = {
        f"botocore.exceptions.{name}"
        for name in ("HTTPClientError", "ConnectionError", "IncompleteReadError")
    }
    return bool(names & (own | {"redis.exceptions.ConnectionError", "redis.exceptions.TimeoutError"}))
