"""Errors as answers: what services refuse becomes a 4xx with a message that says what to do."""

from typing import Any

from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import exception_handler as rest_exception_handler

from annotation.errors import Refused


def exception_handler(problem: Exception, context: dict[str, Any]) -> Response | None:
    """`Refused` (and its kinds) as {"code", "detail"}; DRF's own errors get a code beside their detail."""
    if isinstance(problem, Refused):
        return Response(
            {"code": problem.code, "detail": str(problem), **problem.extra}, status=problem.status
        )
    response = rest_exception_handler(problem, context)
    if response is not None and isinstance(problem, APIException) and isinstance(response.data, dict):
        response.data.setdefault("code", problem.default_code)
    if response is not None and response.status_code == status.HTTP_401_UNAUTHORIZED:
        response.data["detail"] = f"{response.data['detail']} Send a header 'Authorization: Token …'."
    return response
