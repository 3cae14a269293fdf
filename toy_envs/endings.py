"""What a vector environment that resets within the step says of the episodes that it ended."""

from __future__ import annotations

from typing import Any

import numpy as np


def final_infos(observations: np.ndarray) -> dict[str, Any]:
    """The infos of a step that ends every attempt and resets it, `AutoresetMode.SAME_STEP`.

    As Gymnasium's own vector environments give them: each attempt's last observation, what was said
    with it (nothing here), and for whom there is one.

    Args:
      observations: `[num_envs, ...]`, the last ones; kept, not copied, where they are arrays.
    """
    final = np.fromiter(observations, object, len(observations))
    over = np.ones(len(observations), bool)
    return {"final_obs": final, "_final_obs": over, "final_info": {}, "_final_info": over.copy()}
