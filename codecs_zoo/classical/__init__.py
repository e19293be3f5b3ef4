"""Codecs built on transforms and hand-made entropy coding: one module, one codec."""
