"""A bucket behind an S3-compatible endpoint, with an end to every wait."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import Any, Self

from botocore.config import Config
from botocore.exceptions import ClientError
from storages.backends.s3 import S3Storage

# A store that answers does so within a second: what takes longer is stalled, and is tried again by whoever can wait.
CONNECT_WITHIN_S, READ_WITHIN_S, TRIES = 2.0, 10.0, 2
# Of the question whether it is there at all, which a load balancer waits for.
PROBE_WITHIN_S, PROBE_TRIES = 3.0, 1
# Of an opened file: an archive larger than this goes to disk.
IN_MEMORY = 8 * 2**20


class BucketStorage(S3Storage):  # type: ignore[misc]
    """django-storages' bucket with short time limits, and small files read by one request."""

    def __init__(self, *, is_probe: bool = False, **options: Any) -> None:
        super().__init__(max_memory_size=IN_MEMORY, **options)
        self._options = options
        read_within_s, tries = (PROBE_WITHIN_S, PROBE_TRIES) if is_probe else (READ_WITHIN_S, TRIES)
        limits = Config(
            signature_version="s3v4",  # also of addresses: what botocore takes by itself is refused in newer regions
            connect_timeout=CONNECT_WITHIN_S,
            read_timeout=read_within_s,
            retries={"total_max_attempts": tries, "mode": "standard"},
            max_pool_connections=32,
        )
        self.client_config: Config = self.client_config.merge(limits)

    def probe(self, name: str) -> None:
        """Ask once, and for seconds only, for a file that need not be there. Raises what a bucket that fails raises."""
        self._impatient.exists(name)

    @cached_property
    def _impatient(self) -> Self:
        return type(self)(is_probe=True, **self._options)

    def read_whole(self, name: str) -> bytes:
        """The content of a file, by one GET: opening it asks for its size first. Raises FileNotFoundError."""
        key = self._normalize_name(name.replace("\\", "/"))
        with _absent_as_file_not_found(name):
            content: bytes = self.bucket.Object(key).get()["Body"].read()
        return content

    def get_modified_time(self, name: str) -> datetime:
        """When a file was written last, with its time zone. Raises FileNotFoundError, as a folder does."""
        with _absent_as_file_not_found(name):
            written: datetime = super().get_modified_time(name)
        return written


@contextmanager
def _absent_as_file_not_found(name: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            raise FileNotFoundError(f"File does not exist: {name}") from error
        raise
