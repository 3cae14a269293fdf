"""All recipes by key."""

from __future__ import annotations

from collections.abc import Sequence

from pkpo.paper import (
    baseline_question,
    estimator_choice,
    language,
    questions,
    schedule_questions,
    sharpening_question,
    stall_question,
    toy,
)
from pkpo.paper.recipe import FigureRecipe

RECIPES: dict[str, FigureRecipe] = {
    recipe.key: recipe
    for recipe in (
        # As they come in the paper.
        *sorted((*toy.TOY_RECIPES, *language.LANGUAGE_RECIPES), key=lambda recipe: recipe.key),
        estimator_choice.RECIPE,
        *questions.QUESTION_RECIPES,
        *stall_question.STALL_RECIPES,
        sharpening_question.SHARPENING_RECIPE,
        *schedule_questions.SCHEDULE_RECIPES,
        baseline_question.ADAPTIVE_RECIPE,
    )
}
"""The figures that can be made, by key."""


def choose_recipes(keys: Sequence[str]) -> list[FigureRecipe]:
    """The recipes of these keys, each once; all of them for none.

    Raises:
      ValueError: an unknown key.
    """
    unknown = [key for key in keys if key not in RECIPES]
    if unknown:
        raise ValueError(f"figure must be one of {', '.join(RECIPES)}, got {unknown[0][:40]!r}")
    return [RECIPES[key] for key in dict.fromkeys(keys)] if keys else list(RECIPES.values())
