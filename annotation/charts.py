"""Scenes of imaging.plots inside a page."""

from django.utils.safestring import SafeString, mark_safe

from imaging.plots.scene import Scene
from imaging.plots.svg import to_svg


def inline(scene: Scene) -> SafeString:
    """The scene as SVG, coloured by the page's style sheet."""
    # Every word in it was escaped as it was written.
    return mark_safe(to_svg(scene))
