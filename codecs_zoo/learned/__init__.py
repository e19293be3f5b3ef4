"""Codecs whose transform was learned from photographs: one module, one codec."""
