"""How the OpenAPI document describes an endpoint."""

from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema

from annotation.serializers import ProblemSerializer


class ApiSchema(AutoSchema):
    """drf-spectacular's description, and on every endpoint the one form that refusals have."""

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        if direction == "response":
            described: Any = self._get_response_for_code  # drf-spectacular gives it no types
            refused = described(ProblemSerializer, "default", ["application/json"])
            bodies["default"] = {**refused, "description": "Refused; `detail` says why and what to do."}
        return bodies
