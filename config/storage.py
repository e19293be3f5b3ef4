"""Where files live: a folder by default, an S3-compatible bucket by STORAGE_URL."""

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Static files under hashed names, with the imports between ES modules rewritten too."""

    support_js_module_import_aggregation = True


class WholeFiles(FileSystemStorage):
    """A folder in which each file is there whole or not at all, also where the disk fills up as it is written."""

    def _save(self, name: str, content: Any) -> str:
        draft = f"{name}.{secrets.token_hex(8)}.part"
        try:
            super()._save(draft, content)  # type: ignore[misc]
            while True:
                try:
                    os.close(os.open(self.path(name), os.O_CREAT | os.O_EXCL | os.O_WRONLY))
                except FileExistsError:  # somebody else saved it this moment
                    name = self.get_available_name(name)
                else:
                    os.replace(self.path(draft), self.path(name))
                    return name
        finally:
            self.delete(draft)


def storage_from_url(url: str, folder: Path) -> dict[str, Any]:
    """Django's STORAGES entry for `url`.

    "" is `folder` on this machine. `s3://KEY:SECRET@HOST[:PORT]/BUCKET[?region=R&insecure=1]` is a bucket behind
    any S3-compatible endpoint; `s3:///BUCKET` takes Amazon's endpoint and the machine's own credentials.
    """
    if not url:
        return {
            "BACKEND": "config.storage.WholeFiles",
            "OPTIONS": {"location": folder, "base_url": None},
        }
    parts = urlsplit(url)
    bucket = parts.path.strip("/")
    if parts.scheme != "s3" or not bucket or "/" in bucket:
        raise ImproperlyConfigured(
            f"STORAGE_URL={parts.scheme}://… is not valid: use s3://KEY:SECRET@HOST/BUCKET or "
            f"s3:///BUCKET, or leave it empty to keep files under VAR_DIR."
        )
    return {"BACKEND": "config.bucket.BucketStorage", "OPTIONS": _s3_options(parts, bucket)}


def pictures_by_proxy(value: str, storage_url: str) -> str:
    """PICTURES_BY_PROXY: "" (Closer sends pictures), an absolute folder that the proxy reads too, or "bucket"."""
    if value == "bucket" and not storage_url:
        raise ImproperlyConfigured("PICTURES_BY_PROXY=bucket requires a bucket: set STORAGE_URL.")
    if value in ("", "bucket"):
        return value
    if not Path(value).is_absolute():
        raise ImproperlyConfigured(
            f"PICTURES_BY_PROXY={value!r} is not valid: use the absolute path of a folder that the proxy "
            f"can read, or bucket if STORAGE_URL names one, or leave it empty."
        )
    Path(value).mkdir(mode=0o755, parents=True, exist_ok=True)
    return value


def _s3_options(parts: Any, bucket: str) -> dict[str, Any]:
    query = parse_qs(parts.query)
    options: dict[str, Any] = {
        "bucket_name": bucket,
        "default_acl": None,
        "file_overwrite": True,
        "querystring_auth": True,
    }
    if parts.username:
        options["access_key"] = unquote(parts.username)
        options["secret_key"] = unquote(parts.password or "")
    if parts.hostname:
        scheme = "http" if query.get("insecure") == ["1"] else "https"
        port = f":{parts.port}" if parts.port else ""
        options["endpoint_url"] = f"{scheme}://{parts.hostname}{port}"
    if "region" in query:
        options["region_name"] = query["region"][0]
    return options
