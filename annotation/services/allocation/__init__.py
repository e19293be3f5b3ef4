"""Which pairs are served next: priorities by triplet, and how they are set."""
