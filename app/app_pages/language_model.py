"""The language model: what training for the best of k does to one that a class can watch learn."""

from app import access, controls
from app.language_model import explorer, groups, playground, results, sources, training
from app.runs import navigation
from app.runs.engine import explain_errors

VIEWS = {
    "results": results.show_results,
    "train": training.show_training,
    "group": groups.show_groups,
    "problems": explorer.show_explorer,
    "playground": playground.show_playground,
}

navigation.finish_move()
values, page = controls.language_settings(sources.is_language_run, access.visitor().host)
with explain_errors():
    VIEWS[page.view](values, page)
