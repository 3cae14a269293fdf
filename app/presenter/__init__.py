"""Presenter mode on the server: whether it is on, and the speaker's notes."""
