"""What all tests run under, and the folder that some read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture(autouse=True, scope="session")
def small_data_too_go_to_several_threads() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fastmle.pool.WORTH", 0.0)
        yield


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """What the whole run compiled is counted at its end."""
    items.sort(key=lambda item: item.path.name == "test_variants.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The frame of `reading`, in files of each kind."""
    from reading import FRAME, A

    path = tmp_path_factory.mktemp("files")
    FRAME.write_parquet(path / "t.parquet", row_group_size=128)
    FRAME.write_ipc(path / "t.arrow")
    FRAME.write_csv(path / "t.csv")
    FRAME.write_csv(path / "t.tsv", separator="\t")
    for i in range(3):
        (path / "many").mkdir(exist_ok=True)
        FRAME[400 * i : 400 * (i + 1)].write_parquet(path / "many" / f"part{i}.parquet")
    np.save(path / "t.npy", np.column_stack([A, A]))
    return path
