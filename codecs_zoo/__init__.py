"""Image codecs behind one contract: encode, decode, hit a target bpp, measure.  Start at `contract.py`."""
