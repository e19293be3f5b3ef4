"""What runs Closer on one machine: the embedded broker, the supervisor with its parts, the demo, the circle."""
