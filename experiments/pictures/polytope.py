"""What does a collision polytope look like?  The paper's Figure 1, a solid and a section.

`python -m experiments.pictures.polytope --out FOLDER` trains a small layer on points inside and
around a sphere and draws its polytopes; every corner is exact before it is drawn.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from experiments.pictures.paper_figure import figure_1
from experiments.pictures.plane import section_figure
from experiments.pictures.sections import section
from experiments.pictures.solid import solid_figure
from experiments.run.files import open_run_folder
from experiments.show.figures import save
from polytope import CollisionPolytope


def sphere_layer(seed: int = 7, *, units: int = 7, steps: int = 1500) -> nn.Linear:
    """Returns the hidden layer, weight (units, 3), of a trained 3-`units`-1 network.

    It tells 1,000 points inside the unit ball from 1,000 around it (radius 1.3 to 2), so that its
    hidden units mostly fire outside: near the middle few or none do.

    Args:
        seed: of points and weights.
        units: hidden ones.
        steps: of Adam.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # float sums must not depend on the number of cores
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            directions = nn.functional.normalize(torch.randn(2000, 3), dim=1)
            inside = torch.arange(2000) < 1000
            radius = torch.where(inside, torch.rand(2000).pow(1 / 3), 1.3 + 0.7 * torch.rand(2000))
            points, labels = directions * radius[:, None], (~inside).float()
            hidden = nn.Linear(3, units)
            net = nn.Sequential(hidden, nn.ReLU(), nn.Linear(units, 1))
            optimiser = torch.optim.Adam(net.parameters(), lr=0.02)
            for _ in range(steps):
                optimiser.zero_grad()
                loss = nn.functional.binary_cross_entropy_with_logits(net(points)[:, 0], labels)
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
            return hidden.requires_grad_(False)
    finally:
        torch.set_num_threads(threads)


def write_polytope_figures(folder: Path, *, seed: int = 7) -> list[Path]:
    """Draws figure1.png, solid.png and section.png of the layer that tells a ball from its shell.

    Raises:
        OutputError: a file cannot be written.
    """
    layer = sphere_layer(seed)
    flat, solid = (
        CollisionPolytope.from_layer(layer.weight, layer.bias, target)
        for target in ([0.33, -0.55, -1.1], [0.25, 0.5, 0.125])
    )
    found = solid.vertices()
    cut = section(solid, [solid.layer.target_vector, found.points[0], found.points[-1]])
    title = "section through the target and two vertices"
    drawn = {
        "figure1": figure_1(flat),
        "solid": solid_figure(solid, found),
        "section": section_figure(cut, title=title, points=("target", "a vertex", "another")),
    }
    place = open_run_folder(folder)
    return [save(figure, place / f"{name}.png") for name, figure in drawn.items()]


def main(argv: Sequence[str] | None = None) -> int:
    """Draws the three pictures into a folder and names them."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/polytope-figures"))
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(argv)
    for path in write_polytope_figures(options.out, seed=options.seed):
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
