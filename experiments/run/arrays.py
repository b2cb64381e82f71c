"""How do a run's points get onto the disk?  One .npz file, whole or not at all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polytope.files import atomic_path


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], *, packed: bool = True) -> None:
    """Writes arrays by name, atomically.

    Args:
        path: ends in .npz.
        arrays: any but objects.
        packed: whether they are compressed.

    Raises:
        OutputError: the file cannot be written.
    """
    save = np.savez_compressed if packed else np.savez
    with atomic_path(path) as temporary:
        save(temporary, **arrays)  # type: ignore[arg-type]
