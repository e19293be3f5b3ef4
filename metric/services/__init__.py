"""Everything that writes to metric's rows."""
