"""The language model's page, view by view."""
