"""What tests and benchmarks share: makers of pictures and snapshots, private services, a reference to compare with."""
