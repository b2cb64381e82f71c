"""How is a command run on several inputs of a data set?  One after the other, a folder each."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from experiments.own.options import FindRequest
from experiments.own.places import each_place
from experiments.run.desk import Run
from experiments.run.files import open_run_folder
from experiments.run.progress import Progress
from polytope.errors import InputError

Asked = TypeVar("Asked", bound=FindRequest)


def each_target(request: Asked, run: Run) -> Iterator[tuple[Asked, Run]]:
    """Yields the request of each target with its run: the folder itself, or `target-17` in it.

    Raises:
        InputError: several targets beside --search, which is of one.
    """
    places = each_place(request.target)
    if len(places) == 1:
        yield request, run
        return
    if getattr(request, "search", None) is not None:
        raise InputError(f"target: expected one beside --search, got {len(places)}")
    for place in places:
        index = str(place).rpartition(":")[2]
        progress = Progress(quiet=run.progress.quiet)
        progress.say(f"target {place}")
        inside = Run(open_run_folder(run.folder / f"target-{index}"), progress)
        yield replace(request, target=place), inside
