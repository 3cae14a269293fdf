"""The floor plan: which module may import which, and that a name stands for one thing."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from pkpo.extras import EXTRAS
from tests.browser.browser import ROOT

OPTIONAL = {*EXTRAS, "huggingface_hub", "IPython"}
"""Packages that only parts of the lab need: what imports them may be imported late."""
EVERYWHERE = {"main"}
"""The one public name that several modules may have: what is run as a program."""


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {
    name_of(path): ast.parse(path.read_text(encoding="utf-8"))
    for folder in ("app", "pkpo", "toy_envs")
    for path in sorted((ROOT / folder).rglob("*.py"))
}


def targets(node: ast.AST) -> list[str]:
    """The modules that an import statement asks for; of ours, the module that has the name."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    assert node.level == 0, "imports are absolute"
    whole = [f"{node.module}.{alias.name}" for alias in node.names]
    return [name if name in TREES else str(node.module) for name in whole]


def imports(name: str) -> Iterator[tuple[str, bool]]:
    """What a module imports, and whether inside a function."""

    def walk(node: ast.AST, late: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            for target in targets(child):
                yield target, late
            inner = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from walk(child, late or inner)

    yield from walk(TREES[name], False)


IMPORTS = {name: list(imports(name)) for name in TREES}
GRAPH = {
    name: {target for target, _ in found if target in TREES} for name, found in IMPORTS.items()
}


def reached_early(module: str) -> set[str]:
    """All that importing a module imports, as far as ours say."""
    found, todo = set(), [module]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += [target for target, late in IMPORTS.get(name, ()) if not late]
    return found


def test_arrows_point_one_way():
    wrong = []
    for name, found in GRAPH.items():
        room = name.partition(".")[0]
        for target in found:
            into = target.partition(".")[0]
            allowed = {"app": {"app", "pkpo", "toy_envs"}, "pkpo": {"pkpo", "toy_envs"}}
            if into not in allowed.get(room, {"toy_envs"}):
                wrong.append((name, target))
            if name.startswith("pkpo.estimators") and not target.startswith("pkpo.estimators"):
                wrong.append((name, target))
            if name == "pkpo.schedules":
                wrong.append((name, target))
    assert not wrong


def test_no_circle():
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name in done:
            return
        for target in sorted(GRAPH[name]):
            visit(target, (*path, name))
        done.add(name)

    for name in sorted(GRAPH):
        visit(name, ())
    assert done == set(TREES)


def test_only_optional_packages_are_imported_late():
    late = {(name, target) for name in TREES for target, inside in IMPORTS[name] if inside}
    needless = [
        pair
        for pair in late
        if not any(found.partition(".")[0] in OPTIONAL for found in reached_early(pair[1]))
    ]
    assert not needless


def defined(tree: ast.Module) -> Iterator[str]:
    """The public names that a module defines itself."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found = [node.name]
        elif isinstance(node, ast.Assign):
            found = [n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found = [node.target.id]
        else:
            found = []
        yield from (name for name in dict.fromkeys(found) if not name.startswith("_"))


def test_a_public_name_stands_in_one_module():
    where = defaultdict(list)
    for module, tree in TREES.items():
        if module.startswith("app.app_pages."):  # scripts, which nobody imports
            continue
        for name in dict.fromkeys(defined(tree)):
            where[name].append(module)
    twice = {name: found for name, found in where.items() if len(found) > 1}
    assert set(twice) <= EVERYWHERE | SAME_CONTRACT, twice


SAME_CONTRACT = {"SPEC", "add_command", "draw_problems", "objective", "vocabulary_texts"}
"""Names that several modules have on purpose: each fills the same place."""


def test_every_module_says_what_it_is():
    for module, tree in TREES.items():
        first = (ast.get_docstring(tree) or "").split("\n")[0]
        assert first and first[-1] in ".?:", module
