"""The tree of completions: nothing is lost, and what is shared is there once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkpo.lm.token_tree import TokenBranch, token_tree

COMPLETIONS = st.lists(st.lists(st.sampled_from("ab="), max_size=5), min_size=1, max_size=20)


def completions_of(branch: TokenBranch, before: tuple = ()) -> list[tuple]:
    here = (*before, *branch.tokens)
    return [here] * branch.ends + [
        found for part in branch.branches for found in completions_of(part, here)
    ]


@given(COMPLETIONS)
def test_the_tree_holds_every_completion_as_often_as_it_was_drawn(completions):
    assert sorted(completions_of(token_tree(completions))) == sorted(map(tuple, completions))


@given(COMPLETIONS)
def test_branches_differ_at_once_and_counts_add_up(completions):
    def check(branch, root):
        assert root or branch.tokens
        assert branch.count == branch.ends + sum(part.count for part in branch.branches)
        counts = [part.count for part in branch.branches]
        assert counts == sorted(counts, reverse=True)
        assert len({part.tokens[0] for part in branch.branches}) == len(branch.branches)
        # What nobody leaves and where nobody ends is one branch.
        assert len(branch.branches) != 1 or branch.ends
        for part in branch.branches:
            check(part, False)

    check(token_tree(completions), True)


def test_shared_tokens_are_there_once():
    tree = token_tree([["2", "+", "3"], ["2", "+", "4"], ["2", "+", "4"], ["7"]])
    assert (tree.text, tree.count, tree.ends) == ("", 4, 0)
    first, other = tree.branches
    assert (first.text, first.count, [part.text for part in first.branches]) == (
        "2+",
        3,
        ["4", "3"],
    )
    assert (other.text, other.count, other.ends) == ("7", 1, 1)


def test_no_completion_is_refused():
    with pytest.raises(ValueError, match="completions must be at least one, got none"):
        token_tree([])
