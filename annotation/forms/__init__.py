"""What a researcher fills in: a new study, and the steps of its setup."""
