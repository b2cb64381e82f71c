"""What is written of public networks that were tried?  A page of tables, from the answers alone."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any

from tests.campaigns.public_network_child import Answer

HEAD = """# Networks that others wrote: what is read

Made by

    python -m tests.campaigns.public_networks FOLDER --out docs/coverage.md

of a folder whose subfolders are collections of `.onnx` and `.onnx.gz` files: here the benchmarks
of VNN-COMP 2021, 2022 and 2023 (stanleybak/vnncomp2021, ChristopherBrix/vnncomp2022_benchmarks,
ChristopherBrix/vnncomp2023_benchmarks), Marabou's `resources/onnx`, the ONNX model zoo
(onnx/models) and the test models of ONNX (onnx/onnx), each as its repository has them. A file
that could not be had is an empty one (larger than 4 MiB) or a pointer (Git LFS); those are
counted, and nothing is said of them.

Which layers stand in front of a ReLU, and which tensors are theirs, is found from the file, apart
from the reader: Gemm, MatMul, Conv and ConvTranspose with constant weights whose numbers reach a
ReLU one by one. For each that is offered, what enters it and what the ReLU (or the max-pool in
front of it) is given are compared with onnxruntime, and so are the network's outputs, on random
inputs in [0, 1], float32 on both sides. A difference is relative to the largest number of its
tensor, and more than {most:g} at a layer is a failure.
"""


def page(answers: Sequence[dict[str, Any]], most: float) -> str:
    """Returns the page for the answers of all files."""
    found = [Answer(**each) for each in answers]
    parts = [
        HEAD.format(most=most),
        "## Collections\n",
        _table(found, lambda each: PurePosixPath(each.path).parts[0]),
        "## Folders with layers in front of a ReLU\n",
        _table([each for each in found if each.weighted], lambda each: _folder(each.path)),
        "## Files that are not read\n",
        _listed(found),
        "## Layers that are not offered\n",
        "Layers in front of a ReLU, of files that are read, that `layers` lists with a "
        "reason instead.\n",
        _missing(found),
        "## Networks whose outputs are not compared\n",
        _silent(found),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _folder(path: str) -> str:
    return str(PurePosixPath(path).parent)


def _row(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(each).replace("|", "\\|") for each in cells) + " |"


def _table(found: Sequence[Answer], key: Any) -> str:
    """A row a group, and one for all."""
    groups: dict[str, list[Answer]] = defaultdict(list)
    for each in found:
        groups[key(each)].append(each)
    heads = (
        *("", "files", "not to be had", "with a layer in front of a ReLU", "of these read"),
        *("such layers", "offered", "sums offered", "largest difference at a layer"),
        *("outputs compared", "largest difference of outputs"),
    )
    lines = [_row(heads), _row(["---"] * len(heads))]
    rows = [*sorted(groups.items()), ("all", list(found))]
    for name, group in rows:
        held = [each for each in group if each.weighted]
        read = [each for each in held if each.verdict == "read" and each.offered]
        outputs = [each.outputs for each in group if each.outputs is not None]
        lines.append(
            _row(
                (
                    name,
                    f"{len(group):,}",
                    f"{sum(each.verdict == 'not had' for each in group):,}",
                    f"{len(held):,}",
                    f"{len(read):,}",
                    f"{sum(each.weighted for each in held):,}",
                    f"{sum(each.offered - each.sums for each in read):,}",
                    f"{sum(each.sums for each in read):,}",
                    _largest([each.difference for each in read]),
                    f"{len(outputs):,}",
                    _largest(outputs),
                )
            )
        )
    return "\n".join(lines) + "\n"


def _largest(differences: Sequence[float]) -> str:
    """The largest; nothing of none."""
    return f"{max(differences):.1e}" if differences else ""


def _listed(found: Sequence[Answer]) -> str:
    """Files by verdict and reason."""
    lines = [_row(("files", "layers in front of a ReLU", "verdict", "reason", "the first of them"))]
    lines.append(_row(["---"] * 5))
    groups: dict[tuple[str, str], list[Answer]] = defaultdict(list)
    for each in found:
        if each.verdict not in ("read", "not had"):
            groups[each.verdict, _general(each.reason)].append(each)
    for (verdict, reason), group in sorted(groups.items(), key=lambda item: -_weight(item[1])):
        count = sum(each.weighted for each in group)
        lines.append(_row((len(group), count, verdict, reason, f"`{group[0].path}`")))
    return "\n".join(lines) + "\n" if groups else "None.\n"


def _weight(group: Sequence[Answer]) -> int:
    return 10_000 * sum(each.weighted > 0 for each in group) + len(group)


def _general(reason: str) -> str:
    """A reason without what differs from file to file: the node's number and name."""
    short = re.sub(r"node \d+( '[^']*')?", "node", reason)
    return short if len(short) < 200 else short[:197] + "..."


def _missing(found: Sequence[Answer]) -> str:
    """Layers of files that are read, in front of a ReLU and not offered, by reason."""
    reasons: Counter[str] = Counter()
    files: dict[str, str] = {}
    for each in found:
        if each.verdict == "read":
            for name in each.refused:
                reason = re.sub(r"'[^']*'", "...", _general(each.others.get(name, "is not listed")))
                reason = re.sub(r"\(step \.\.\.\)", "", reason).strip()
                reasons[reason] += 1
                files.setdefault(reason, each.path)
    if not reasons:
        return "None.\n"
    lines = [_row(("layers", "reason", "first in")), _row(["---"] * 3)]
    lines += [_row((n, reason, f"`{files[reason]}`")) for reason, n in reasons.most_common()]
    return "\n".join(lines) + "\n"


def _silent(found: Sequence[Answer]) -> str:
    """Why the outputs of networks that are read could not be compared."""
    reasons: Counter[str] = Counter(
        _general(each.not_compared)
        for each in found
        if each.verdict == "read" and each.not_compared
    )
    if not reasons:
        return "None.\n"
    lines = [_row(("files", "reason")), _row(["---"] * 2)]
    return "\n".join([*lines, *(_row((n, reason)) for reason, n in reasons.most_common())]) + "\n"
