"""Django's backend for Postgres, with an end to waiting for an answer."""
