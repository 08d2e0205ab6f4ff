"""The text space holds any valid text and nothing else."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.envs.spaces import Unicode


@given(st.text(max_size=50))
def test_holds_what_can_be_encoded(text: str) -> None:
    assert text in Unicode(50)


@pytest.mark.parametrize("x", ["\ud83d", "x" * 51, 5, None, b"x", ["x"]])
def test_refuses_the_rest(x: object) -> None:
    assert x not in Unicode(50)


def test_samples_are_inside_and_seeded() -> None:
    one, two = Unicode(30, seed=1), Unicode(30, seed=1)
    samples = [one.sample() for _ in range(30)]
    assert samples == [two.sample() for _ in range(30)]
    assert all(s in one for s in samples)
    assert len(set(samples)) > 3


def test_equality_pickle_and_json() -> None:
    space = Unicode(30)
    assert pickle.loads(pickle.dumps(space)) == space  # noqa: S301 - our own bytes
    assert space != Unicode(31)
    assert space.from_jsonable(space.to_jsonable(["a", "头痛"])) == ["a", "头痛"]


def test_masks_are_refused() -> None:
    with pytest.raises(ValueError, match="mask"):
        Unicode().sample(mask=object())
