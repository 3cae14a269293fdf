"""The language model: what training for the best of k does to one that a class can watch learn."""

from app import access, controls
from app.language import explorer, groups, playground, results, sources, training
from app.runs import going
from app.runs.engine import explained

VIEWS = {
    "results": results.show,
    "train": training.show,
    "group": groups.show,
    "problems": explorer.show,
    "playground": playground.show,
}

going.arrive()
values, own = controls.language_settings(sources.known, access.visitor().host)
with explained():
    VIEWS[own["view"]](values, own)
