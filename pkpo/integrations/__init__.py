"""For trainers of one's own: advantages of a flat batch of groups. Needs NumPy alone.

`pkpo.integrations.trl` has TRL's trainer and needs trl.
"""

from pkpo.integrations.advantages import group_advantages
from pkpo.integrations.token_level import TokenLevelAdvantages

__all__ = ["TokenLevelAdvantages", "group_advantages"]
