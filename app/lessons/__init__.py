"""The lessons: what is asked, what is true, and what to try."""
