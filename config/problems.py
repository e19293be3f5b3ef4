"""Errors as answers: what services refuse becomes a 4xx with a message that says what to do."""

from collections.abc import Iterator
from typing import Any

from django.http import Http404
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler as rest_exception_handler

from annotation.errors import Refused

# The image `web` has none of these, nor has any installation without torch.
NOT_IN_EVERY_IMAGE = {"torch", "lpips", "onnx", "onnxscript"}
# What rows are called outside of the code, where that differs.
WORDS = {
    **{name: name.lower() for name in ("Study", "Snapshot", "Source", "Reconstruction", "Annotator")},
    "Triplet": "pair",
    "Enrolment": "annotator",
    "ResultsLink": "results link",
    "MetricVersion": "metric version",
    "TrainingRun": "training run",
    "CodecTraining": "codec training",
}
NOT_HERE = (
    "This requires torch, which is not installed on this web server. "
    "Use `python -m metric`, or an image with torch."
)


def exception_handler(problem: Exception, context: dict[str, Any]) -> Response | None:
    """Every refusal as {"code", "detail"}; what is wrong with single fields also stands in `fields`."""
    if isinstance(problem, Refused):
        wait = problem.extra.get("retry_after_s")
        return Response(
            {"code": problem.code, "detail": str(problem), **problem.extra},
            status=problem.status,
            headers={"Retry-After": str(wait)} if wait else None,
        )
    if isinstance(problem, ModuleNotFoundError) and problem.name in NOT_IN_EVERY_IMAGE:
        return Response({"code": "not_here", "detail": NOT_HERE}, status=status.HTTP_501_NOT_IMPLEMENTED)
    response = rest_exception_handler(problem, context)
    if response is None:
        return None
    if isinstance(problem, Http404):
        response.data = {"detail": _nothing_there(problem)}
    elif isinstance(problem, ValidationError):
        response.data = {"detail": " ".join(_sentences(response.data)), "fields": response.data}
    response.data["code"] = _code_of(problem)
    if response.status_code == status.HTTP_401_UNAUTHORIZED:
        response.data["detail"] = f"{response.data['detail']} Send a header 'Authorization: Token …'."
    return response


def _nothing_there(problem: Http404) -> str:
    """What a lookup in vain means to the client: the row does not exist, or it is not theirs to see."""
    name, matches, _ = str(problem).partition(" matches the given query.")
    if matches:
        what = WORDS.get(name.removeprefix("No "), "object")
        return f"There is no such {what}, or you have no access to it."
    return str(problem) or "There is nothing at this address."


def _code_of(problem: Exception) -> str:
    if isinstance(problem, APIException):
        return problem.default_code
    return "not_found" if isinstance(problem, Http404) else "permission_denied"  # Django's, which DRF answers


def _sentences(errors: Any, field: str = "") -> Iterator[str]:
    """A field's errors one after another, each led by the field's name where it has one."""
    if isinstance(errors, dict):
        for name, inner in errors.items():
            named = "" if name == "non_field_errors" else str(name)
            yield from _sentences(inner, ".".join(part for part in (field, named) if part))
    elif isinstance(errors, list):
        for inner in errors:
            yield from _sentences(inner, field)
    else:
        yield f"{field}: {errors}" if field else str(errors)
