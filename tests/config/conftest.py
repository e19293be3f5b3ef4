"""A bucket for tests of what is kept there."""

from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

BUCKET = "closer-test"


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    """The STORAGE_URL of an empty bucket on a server of this process."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=f"http://{host}:{port}", **keys).create_bucket(Bucket=BUCKET)
    yield f"s3://key:secret@{host}:{port}/{BUCKET}?region=us-east-1&insecure=1"
    server.stop()
