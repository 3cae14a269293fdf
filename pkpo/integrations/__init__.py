"""For trainers of one's own: advantages of a flat batch of groups. Needs NumPy alone."""

from pkpo.integrations.advantages import group_advantages

__all__ = ["group_advantages"]
