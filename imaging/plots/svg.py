"""A scene as SVG: inside a page, where style sheets give its looks their colours, or as a file of its own."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, tostring

from imaging.plots.palette import COLOURS, INK, PAPER
from imaging.plots.scene import Line, Outline, Scene, Words

FONT = "12px 'DejaVu Sans', Verdana, sans-serif"


def to_svg(scene: Scene) -> str:
    """For a page: colours by class, every word escaped, no style of its own, so that a strict policy holds."""
    return tostring(_root(scene), encoding="unicode")


def to_svg_file(scene: Scene) -> str:
    """For a file that stands alone: the palette's colours on white."""
    root = _root(scene)
    root.set("width", f"{scene.width:g}")
    root.set("height", f"{scene.height:g}")
    style = Element("style")
    rules = [f".{look} {{ color: {colour}; }}" for look, colour in COLOURS.items()]
    style.text = " ".join(
        [
            f"svg {{ color: {INK}; font: {FONT}; }}",
            *rules,
            f".hollow {{ fill: {PAPER}; stroke: currentColor; stroke-width: 1.4; }}",
        ]
    )
    root.insert(0, style)
    root.insert(1, Element("rect", width="100%", height="100%", fill=PAPER))
    return f"{tostring(root, encoding='unicode')}\n"


def _root(scene: Scene) -> Element:
    root = Element("svg", viewBox=f"0 0 {scene.width:g} {scene.height:g}")
    root.set("xmlns", "http://www.w3.org/2000/svg")
    if scene.fixed:
        root.set("width", f"{scene.width:g}")
        root.set("height", f"{scene.height:g}")
    if scene.look:
        root.set("class", scene.look)
    if scene.title:
        root.set("role", "img")
        root.set("aria-label", scene.title)
    else:
        root.set("aria-hidden", "true")
    for mark in scene.marks:
        _draw(root, mark)
    return root


def _draw(root: Element, mark: Line | Words | Outline) -> None:
    match mark:
        case Line():
            SubElement(root, "line", _line(mark))
        case Words():
            SubElement(root, "text", _words(mark)).text = mark.text
        case Outline():
            SubElement(root, "path", _outline(mark))


def _line(mark: Line) -> dict[str, str]:
    attributes = {name: f"{getattr(mark, name):.1f}" for name in ("x1", "y1", "x2", "y2")}
    attributes["stroke"] = "currentColor"
    if mark.opacity != 1:
        attributes["stroke-opacity"] = f"{mark.opacity:g}"
    if mark.width != 1:
        attributes["stroke-width"] = f"{mark.width:g}"
    if mark.dash:
        attributes["stroke-dasharray"] = " ".join(f"{length:g}" for length in mark.dash)
    return attributes | _class(mark.look)


def _words(mark: Words) -> dict[str, str]:
    attributes = {
        "x": f"{mark.x:.1f}",
        "y": f"{mark.y:.1f}",
        "text-anchor": mark.anchor,
        "fill": "currentColor",
    }
    if mark.upright:
        attributes["transform"] = f"rotate(-90 {mark.x:.1f} {mark.y:.1f})"
    return attributes | _class(mark.look)


def _outline(mark: Outline) -> dict[str, str]:
    attributes = {"d": mark.d}
    if mark.hollow:
        return attributes | _class(f"{mark.look} hollow".strip())
    attributes["fill"] = "currentColor" if mark.fill else "none"
    if mark.fill not in (0, 1):
        attributes["fill-opacity"] = f"{mark.fill:.2f}"
    if mark.stroke:
        attributes["stroke"] = "currentColor"
        attributes["stroke-width"] = f"{mark.stroke:g}"
        if mark.opacity != 1:
            attributes["stroke-opacity"] = f"{mark.opacity:g}"
    return attributes | _class(mark.look)


def _class(look: str) -> dict[str, str]:
    return {"class": look} if look else {}
