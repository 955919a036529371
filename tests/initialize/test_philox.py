"""The raw bits: the published function, by position, apart for each seed, name and draw."""

from __future__ import annotations

import numpy as np
import pytest

from specc.initialize.philox import (
    philox_blocks,
    random_words,
    stream_key,
    uniform_left_closed,
    uniform_open,
)


def _words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


# Random123's known answers for philox4x64-10: counter, key, output, lowest word first.
KNOWN_ANSWERS = [
    ("0 0 0 0", "0 0", "16554d9eca36314c db20fe9d672d0fdc d7e772cee186176b 7e68b68aec7ba23b"),
    (
        " ".join(["f" * 16] * 4),
        " ".join(["f" * 16] * 2),
        "87b092c3013fe90b 438c3c67be8d0224 9cc7d7c69cd777b6 a09caebf594f0ba0",
    ),
    (
        "243f6a8885a308d3 13198a2e03707344 a4093822299f31d0 082efa98ec4e6c89",
        "452821e638d01377 be5466cf34e90c6c",
        "a528f45403e61d95 38c72dbd566e9788 a5a1610e72fd18b5 57bd43b5e52b7fe6",
    ),
]


@pytest.mark.parametrize(("counter", "key", "output"), KNOWN_ANSWERS)
def test_blocks_are_the_published_function(counter: str, key: str, output: str) -> None:
    def number(text: str) -> int:
        return sum(word << (64 * i) for i, word in enumerate(_words(text)))

    assert philox_blocks(number(key), number(counter), 1).tolist() == _words(output)


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (3, 4), (1, 9), (4, 8), (7, 40), (5, 5)])
def test_a_stretch_is_the_same_alone(start: int, stop: int) -> None:
    key = stream_key(3, "a.weight")
    assert (random_words(key, 1, 0, 40)[start:stop] == random_words(key, 1, start, stop)).all()


def test_streams_differ_by_seed_name_and_draw() -> None:
    streams = [
        random_words(stream_key(0, "a"), 0, 0, 64),
        random_words(stream_key(1, "a"), 0, 0, 64),
        random_words(stream_key(0, "b"), 0, 0, 64),
        random_words(stream_key(0, "a"), 1, 0, 64),
    ]
    assert len(np.unique(np.concatenate(streams))) == 4 * 64


def test_seed_and_name_cannot_run_into_each_other() -> None:
    assert stream_key(1, "1") != stream_key(11, "")


def test_draws_are_far_beyond_each_others_blocks() -> None:
    key = stream_key(0, "a")
    assert (random_words(key, 1, 0, 4) == philox_blocks(key, 1 << 128, 1)).all()


def test_uniforms_keep_their_interval_at_both_ends() -> None:
    extremes = np.array([0, 2**64 - 1], dtype=np.uint64)
    assert uniform_left_closed(extremes).tolist() == [0.0, 1 - 2.0**-53]
    low, high = uniform_open(extremes).tolist()
    assert low == 2.0**-53
    assert high == 1 - low
