"""Figures: a scene of lines, words and outlines that knows no output, and what writes it as SVG or PDF."""
