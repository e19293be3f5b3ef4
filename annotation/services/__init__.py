"""Everything that writes to annotation's rows. Each module does one thing; functions are keyword-only."""
