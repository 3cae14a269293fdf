"""All recipes by key."""

from __future__ import annotations

from collections.abc import Sequence

from pkpo.paper import language, questions, toy, which
from pkpo.paper.recipe import Recipe

RECIPES: dict[str, Recipe] = {
    recipe.key: recipe
    for recipe in (
        *toy.RECIPES,
        *language.RECIPES,
        which.RECIPE,
        *questions.RECIPES,
    )
}
"""The figures that can be made, by key."""


def choose(keys: Sequence[str]) -> list[Recipe]:
    """The recipes of these keys, each once; all of them for none.

    Raises:
      ValueError: an unknown key.
    """
    unknown = [key for key in keys if key not in RECIPES]
    if unknown:
        raise ValueError(f"figure must be one of {', '.join(RECIPES)}, got {unknown[0][:40]!r}")
    return [RECIPES[key] for key in dict.fromkeys(keys)] if keys else list(RECIPES.values())
