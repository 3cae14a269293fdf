"""The paper's figures as recipes: data, figure, and the claims that it draws, checked.

A recipe turns a seed, or data that took long to compute, into a `Result`: a table (one CSV), tables in
the paper's layout, and claims with what was measured and what is required. Nothing is typed in that can
be computed; a claim that fails is reported as failed.
"""

from pkpo.paper.recipe import (
    KINDS,
    VERDICTS,
    Claim,
    FigureRecipe,
    FigureResult,
    Grid,
    count_verdicts,
)
from pkpo.paper.registry import RECIPES, choose_recipes
from pkpo.paper.tables import (
    claim_rows,
    claims_json,
    config_json,
    grid_csv,
    grid_markdown,
    result_csv,
    results_zip,
)

__all__ = [
    "Claim",
    "FigureRecipe",
    "FigureResult",
    "Grid",
    "KINDS",
    "VERDICTS",
    "RECIPES",
    "choose_recipes",
    "claim_rows",
    "claims_json",
    "config_json",
    "count_verdicts",
    "grid_csv",
    "grid_markdown",
    "result_csv",
    "results_zip",
]
