"""Regimes and methods as data."""

import pytest

from specialize.experiment.regimes import MULTI_TASK_REGIMES, REGIMES, TASKS, Method


def test_the_registry_has_the_papers_regimes_in_order():
    further = [f"pft-{start}-{task}" for start in MULTI_TASK_REGIMES for task in TASKS]
    assert list(REGIMES) == [*TASKS, *MULTI_TASK_REGIMES, *further]
    assert MULTI_TASK_REGIMES == ("mtl-int", "mtl-ups", "mtl-int-alt", "mtl-ups-alt")
    assert all(name == regime.name for name, regime in REGIMES.items())


@pytest.mark.parametrize("name", REGIMES)
def test_a_regime_is_of_one_kind(name):
    regime = REGIMES[name]
    assert regime.multi_task == (name in MULTI_TASK_REGIMES)
    assert regime.prefinetuned == name.startswith("pft-")
    assert (regime.task in TASKS) != regime.multi_task
    if regime.prefinetuned:
        start = REGIMES[regime.start]
        assert start.multi_task
        assert (start.mixing, start.joint) == (regime.mixing, regime.joint)
        assert regime.title == f"{start.title} + PFT"


@pytest.mark.parametrize(
    ("regime", "title"),
    [
        ("pos", "tva"),
        ("mtl-int", "tva + INT"),
        ("mtl-ups-alt", "tva + UPS + ALT"),
        ("pft-mtl-ups-alt-ner", "tva + UPS + ALT + PFT"),
    ],
)
def test_a_method_is_named_as_the_paper_does(regime, title):
    method = Method.of("tva", regime)
    assert method.title == title
    assert method.single_task == (title == "tva")


def test_methods_are_of_a_representation_and_sort():
    methods = [Method.of(name, regime) for name in ("tva", "lapt") for regime in REGIMES]
    assert len(set(methods)) == 2 * (1 + 4 + 4)
    assert sorted(methods)[0] == Method("lapt")
