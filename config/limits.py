"""How much a request may carry. Known to the web server, which reads it, and to Django, which refuses it."""

# A stranger sends steps of arrival, answers and passwords.
STRANGERS_MOST_BYTES = 2 * 2**20
# A researcher sends photographs, or archives of them. What comes is kept in a file until it is complete.
MOST_BYTES = 2 * 2**30
# What the web server writes beside a request whose body it did not keep.
DISCARDED = "HTTP_X_CLOSER_BODY_DISCARDED"
