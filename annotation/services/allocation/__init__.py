"""Which pairs are served next: priorities by triplet, and what sets them."""
