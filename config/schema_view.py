"""The address of the OpenAPI document, which is generated and written once in each process."""

import threading
from functools import cache
from typing import Any

from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import SpectacularAPIView

from annotation.core.languages import SOURCE_LANGUAGE

_generating = threading.Lock()


@cache
def _document() -> dict[str, Any]:
    generator: Any = SchemaGenerator  # drf-spectacular gives it no types
    with translation.override(SOURCE_LANGUAGE):
        document: dict[str, Any] = generator().get_schema(request=None, public=True)
    return document


@cache
def _written(renderer: Any) -> bytes:
    return bytes(renderer().render(_document(), None, {}))


class _Generated(SchemaGenerator):
    """The document, which depends on the code alone, generated once in each process."""

    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        with _generating:
            return _document()


def _once(renderer: Any) -> Any:
    """A renderer that writes the document once, and everything else, such as a refusal, as usual."""

    class Once(renderer):  # type: ignore[misc]
        def render(self, data: Any, *arguments: Any, **options: Any) -> bytes:
            if data is not _document():
                return bytes(super().render(data, *arguments, **options))
            with _generating:
                return _written(renderer)

    return Once


class SchemaView(SpectacularAPIView):
    """Serves the document to everybody. Made anew for each request it took a second of processor time, or two as YAML:
    a few hundred requests of a stranger held all threads for minutes.
    """

    generator_class = _Generated
    renderer_classes = [
        _once(one)
        for one in (OpenApiYamlRenderer, OpenApiYamlRenderer2, OpenApiJsonRenderer, OpenApiJsonRenderer2)
    ]
