"""Tasks: one module for each, with all that the rest of the lab asks of it, and their registry."""
