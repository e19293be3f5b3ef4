"""What the supervisor keeps alive, and how none of it outlives the supervisor."""
