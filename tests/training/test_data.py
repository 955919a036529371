"""Data sets: shapes, values, splits, and files that nobody vouches for."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from specc.frontend.diagnostics import Fault
from specc.ir.recipe import Choice, SettingValue
from specc.recipe.catalogue import DATA
from specc.training import npz
from specc.training.data import _LOADERS, Split, load

HERE = Path()


def loaded(name: str, base: Path = HERE, **arguments: SettingValue) -> Split:
    return load(Choice(name=name, arguments=DATA[name].complete(arguments)), base)


def test_every_data_set_of_the_catalogue_can_be_loaded() -> None:
    assert set(_LOADERS) == set(DATA)


# ---- digits


def test_digits_are_the_real_scans() -> None:
    split = loaded("digits")
    assert split.train.x.shape == (1437, 1, 8, 8)
    assert split.test.x.shape == (360, 1, 8, 8)
    ours = np.concatenate([split.train.x, split.test.x]).reshape(1797, 64)
    labels = np.concatenate([split.train.y, split.test.y])
    bundled = load_digits()
    theirs = (bundled.data / 16).astype(np.float32)
    assert ours.dtype == np.float32
    by_content = sorted((row.tobytes(), label) for row, label in zip(ours, labels, strict=True))
    expected = sorted((r.tobytes(), y) for r, y in zip(theirs, bundled.target, strict=True))
    assert by_content == expected


def test_digits_are_held_out_by_class() -> None:
    split = loaded("digits")
    every = np.bincount(np.concatenate([split.train.y, split.test.y]))
    held_out = np.bincount(split.test.y)
    assert np.abs(held_out - 0.2 * every).max() <= 1


def test_the_split_is_fixed() -> None:
    one, other = loaded("digits"), loaded("digits", resize=16, normalize=True)
    assert np.array_equal(one.train.y, other.train.y)
    assert np.array_equal(one.test.y, other.test.y)


def test_digits_are_resized_bilinearly() -> None:
    small, large = loaded("digits"), loaded("digits", resize=16)
    assert large.train.x.shape == (1437, 1, 16, 16)
    # Without aligned corners, pixel 2i + 1 lies at i + 1/4: three parts of i, one of i + 1.
    row = small.train.x[:, 0, 0]
    expected = 0.75 * row[:, :-1] + 0.25 * row[:, 1:]
    np.testing.assert_allclose(large.train.x[:, 0, 0, 1:-1:2], expected, atol=1e-6)


def test_digits_are_normalized_by_the_training_images() -> None:
    split = loaded("digits", resize=28, normalize=True)
    assert abs(split.train.x.mean(dtype=np.float64)) < 1e-6
    assert abs(split.train.x.std(dtype=np.float64) - 1) < 1e-6
    assert abs(split.test.x.mean(dtype=np.float64)) > 1e-6
    assert split.train.x.dtype == np.float32


def test_the_held_out_fraction_can_be_set() -> None:
    assert len(loaded("digits", test=0.5).test) == 899


# ---- synthetic regression


def test_synthetic_regression_follows_its_rule() -> None:
    split = loaded("synthetic_regression", w=(1.0, -2.0, 3.0), b=0.5, noise=0.0, examples=100)
    for side, count in ((split.train, 80), (split.test, 20)):
        assert side.x.shape == (count, 3)
        expected = side.x @ np.array([[1.0], [-2.0], [3.0]]) + 0.5
        np.testing.assert_allclose(side.y, expected, atol=1e-5)


def test_the_noise_has_its_standard_deviation() -> None:
    split = loaded("synthetic_regression", w=(1.0,), b=0.0, noise=0.1, examples=20_000)
    noise = split.train.y - split.train.x
    assert abs(noise.std() - 0.1) < 0.003


def test_its_own_seed_decides_what_is_drawn() -> None:
    one, same = loaded("synthetic_regression"), loaded("synthetic_regression")
    other = loaded("synthetic_regression", seed=1)
    assert np.array_equal(one.train.x, same.train.x)
    assert not np.array_equal(one.train.x, other.train.x)


# ---- npz


def write(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def refusal(path: Path, **arguments: SettingValue) -> str:
    with pytest.raises(Fault) as caught:
        loaded("npz", path.parent, path=path.name, **arguments)
    assert caught.value.fact.code == "bad-data"
    return caught.value.fact.message


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_is_read_and_split(save: Any, tmp_path: Path) -> None:
    x = np.arange(40, dtype=np.float64).reshape(20, 2)
    save(tmp_path / "d.npz", x=x, y=np.arange(20) % 2)
    split = loaded("npz", tmp_path, path="d.npz")
    assert (len(split.train), len(split.test)) == (16, 4)
    assert split.train.x.dtype == np.float32
    assert np.array_equal(np.bincount(split.test.y), [2, 2])
    assert set(split.train.x[:, 0]) | set(split.test.x[:, 0]) == set(range(0, 40, 2))


def test_npz_in_a_folder_below(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "d.npz", x=np.ones((4, 1)), y=np.zeros(4))
    assert len(loaded("npz", tmp_path, path="data/d.npz").train) == 3


def test_npz_may_hold_out_its_own_examples(tmp_path: Path) -> None:
    x, y = np.ones((4, 2)), np.zeros(4)
    path = write(tmp_path / "d.npz", x=x, y=y, x_test=2 * x[:3], y_test=y[:3])
    split = loaded("npz", tmp_path, path="d.npz")
    assert (len(split.train), len(split.test)) == (4, 3)
    assert split.test.x.max() == 2
    assert "asks for another split" in refusal(path, test=0.5)


def test_big_endian_and_fortran_order_are_understood(tmp_path: Path) -> None:
    x = np.asfortranarray(np.arange(8.0).reshape(4, 2)).astype(">f8")
    write(tmp_path / "d.npz", x=x, y=np.arange(4).astype(">i4"))
    split = loaded("npz", tmp_path, path="d.npz", test=0.25)
    every = np.concatenate([split.train.x, split.test.x])
    assert sorted(every.tolist()) == [[0, 1], [2, 3], [4, 5], [6, 7]]


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"x": np.ones((4, 2))}, "has to hold x and y"),
        ({"x": np.ones((4, 2)), "y": np.ones(4), "z": np.ones(1)}, "'z'"),
        ({"x": np.ones((4, 2)), "y": np.ones(3)}, "same number of examples"),
        ({"x": np.ones((0, 2)), "y": np.ones(0)}, "same number of examples"),
        ({"x": np.ones(()), "y": np.ones(())}, "same number of examples"),
        ({"x": np.ones((1, 2)), "y": np.ones(1)}, "cannot be split"),
        ({"x": np.array([[1.0], [np.nan]]), "y": np.ones(2)}, "NaN"),
        ({"x": np.array([[1.0], [1e300]]), "y": np.ones(2)}, "f32 cannot hold"),
        ({"x": np.array(["a", "b"]), "y": np.ones(2)}, "not numbers"),
        ({"x": np.ones((2, 1), complex), "y": np.ones(2)}, "not numbers"),
        ({"x": np.zeros(2, [("a", "f4")]), "y": np.ones(2)}, "not numbers"),
    ],
)
def test_unsuitable_arrays_are_refused(arrays: dict[str, Any], says: str, tmp_path: Path) -> None:
    assert says in refusal(write(tmp_path / "d.npz", **arrays))


class Payload:
    """Unpickling this would create the file."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (str(self.trace), "w"))


def test_pickled_objects_are_refused_and_do_not_run(tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    objects = np.array([Payload(trace), 1], dtype=object)
    write(tmp_path / "d.npz", x=objects, y=np.ones(2))
    assert "Python objects" in refusal(tmp_path / "d.npz")
    # A bare pickle under an array's name.
    with zipfile.ZipFile(tmp_path / "e.npz", "w") as archive:
        archive.writestr("x.npy", pickle.dumps(Payload(trace)))
        archive.writestr("y.npy", b"")
    assert "no sound .npz" in refusal(tmp_path / "e.npz")
    assert not trace.exists()


def header(shape: str, descr: str = "'<f4'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    "content",
    [
        header("(1000000000000,)"),  # a shape without its data: nothing may be allocated for it
        header("(4, 2)") + b"\0" * 31,
        header("(-1,)"),
        header("(__import__('os').getpid(),)"),
        header("(1,)", "'|O'"),
        header("(" * 500),
        b"\x93NUMPY\x09\x00" + b"\0" * 100,
        b"\x93NUM",
        b"",
    ],
    ids=["huge", "short", "negative", "code", "object", "nested", "version", "magic", "empty"],
)
def test_hostile_members_are_refused(content: bytes, tmp_path: Path) -> None:
    sound = io.BytesIO()
    np.save(sound, np.ones(4))
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive:
        archive.writestr("x.npy", content)
        archive.writestr("y.npy", sound.getvalue())
    refusal(tmp_path / "d.npz")


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "d.npz", x=np.arange(4000.0).reshape(-1, 2), y=np.ones(2000))
    whole = bytearray(path.read_bytes())
    for cut in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        refusal(path)
    whole[2000] ^= 1  # one bit of the data: the checksum tells
    path.write_bytes(whole)
    refusal(path)


def test_a_file_that_unfolds_too_far_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npz, "MAX_BYTES", 2**20)
    np.savez_compressed(tmp_path / "d.npz", x=np.zeros((2**17, 1)), y=np.zeros(2**17))
    assert (tmp_path / "d.npz").stat().st_size < 10_000
    assert "more than" in refusal(tmp_path / "d.npz")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "none.npz")
    (tmp_path / "folder.npz").mkdir()
    assert "it is no file" in refusal(tmp_path / "folder.npz")


def test_a_link_may_not_lead_outside(tmp_path: Path) -> None:
    write(tmp_path / "secret.npz", x=np.ones((4, 1)), y=np.ones(4))
    (tmp_path / "spec").mkdir()
    (tmp_path / "spec" / "d.npz").symlink_to(tmp_path / "secret.npz")
    with pytest.raises(Fault) as caught:
        loaded("npz", tmp_path / "spec", path="d.npz")
    assert caught.value.fact.code == "path-outside"


def test_an_absolute_path_was_set_from_outside(tmp_path: Path) -> None:
    path = write(tmp_path / "d.npz", x=np.ones((4, 1)), y=np.ones(4))
    assert len(loaded("npz", HERE, path=str(path.absolute())).train) == 3
