"""Random problems, claims and witnesses from small numbers, so that chance hits a false proof.

Mutants of a true certificate rarely come near one; here every number is small enough for that if a
condition of the checker were missing.
"""

import itertools
from fractions import Fraction as F

from polytope import checker
from tests.examples.certificate_forms import (
    array,
    box,
    document,
    minor,
    mult,
    problem,
    rational,
    span,
    sparse,
    vec,
)
from tests.oracles.certificate_oracle import System, dot, generated, rank, reduced_lines

SMALL = [F(-1), F(0), F(0), F(1), F(1), F(2), F(1, 2), F(-1, 2)]


def numbers(rng, count):
    return [rng.choice(SMALL) for _ in range(count)]


class Forger:
    """One random tiny problem, and random claims and witnesses about it."""

    def __init__(self, rng, kind):
        self.rng, self.kind = rng, kind
        self.d, self.n = rng.choice([1, 2, 2]), rng.choice([0, 1, 1, 2, 2, 3])
        self.weight = [numbers(rng, self.d) for _ in range(self.n)]
        domain, self.target = self.domain()
        # Mostly from a target; with an activation C may be empty.
        stated = {"target": self.target}
        if rng.random() < 0.3:
            stated = {"activation": [max(v, F(0)) for v in numbers(rng, self.n)]}
        tolerance = rng.choice([0, 0, F(1, 2)])
        fixed = {"domain": domain, "tolerance": tolerance}
        self.stated = problem(self.weight or [[0]], numbers(rng, self.n), **stated, **fixed)
        if not self.n:
            self.stated["weight"] = {"dtype": "Q", "shape": [0, self.d], "num": [], "den": []}
        if "activation" in stated:
            self.stated.pop("target", None)
            self.stated["activation"] = array(stated["activation"])
        self.system = System(self.stated)
        self.parsed = checker.Problem(self.stated)
        units = dict.fromkeys(sorted(self.parsed.plus | self.parsed.minus))
        self.names = [list(row) for row in {**self.parsed.rows, **units}]

    def domain(self):
        kind = self.rng.choice(["free", "nonnegative", "box"])
        target = numbers(self.rng, self.d)
        if kind == "nonnegative":
            target = [abs(v) for v in target]
        if kind != "box":
            return kind, target
        ends = [sorted([v, v + self.rng.choice(SMALL)]) for v in target]
        self.ends = [low for low, _ in ends], [high for _, high in ends]
        return box(*self.ends), target

    def some_rows(self, count):
        wild = [self.rng.choice(["equality", "upper", "lower"]), self.rng.randrange(max(self.n, 1))]
        return [self.rng.choice([*self.names * 5, wild]) for _ in range(count)]

    def multipliers(self):
        entries = {kind: {} for kind in ("equality", "upper", "lower")}
        for kind, unit in self.some_rows(self.rng.randrange(4)) if self.n else []:
            value = self.rng.choice(SMALL)
            if value and (value > 0 or kind == "equality" or self.rng.random() < 0.3):
                entries[kind][unit] = value
        return mult(self.n, **entries)

    def minor(self):
        r = self.rng.choice([0, 1, 1, 2]) if self.n else 0
        rows = self.some_rows(r)
        columns = self.rng.sample(range(self.d), min(r, self.d))
        # Small moduli: a random inverse is often the right one.
        q = self.rng.choice([1, 2, 2, 3, 3, 3])
        inverse = [[format(self.rng.randrange(q), "x") for _ in range(r)] for _ in range(r)]
        if r == 1:
            inverse = [[self.rng.choice(["1", "2"])]]
        return {"rows": rows, "columns": columns, "modulus": str(q), "inverse": inverse}

    def span(self):
        basis = self.some_rows(self.rng.choice([0, 1, 1]) if self.n else 0)
        if self.rng.random() < 0.3:
            return None
        listed = {}
        for unit in range(self.n):
            for kind in ("equality", "upper"):
                if [kind, unit] not in basis and self.rng.random() < 0.6:
                    listed[kind, unit] = [self.rng.choice(SMALL) for _ in basis]
        return span(basis, listed)

    def point(self):
        if self.rng.random() < 0.3:
            return vec(self.target)
        point = numbers(self.rng, self.d)
        kind = self.stated["domain"]["kind"]
        if kind == "nonnegative":
            point = [abs(v) for v in point]
        if kind == "box" and self.rng.random() < 0.9:
            ends = zip(*self.ends, strict=True)
            point = [max(low, min(high, v)) for v, (low, high) in zip(point, ends, strict=True)]
        return vec(point)

    def objective(self):
        if self.n and self.rng.random() < 0.5:
            return {"unit": self.rng.randrange(self.n)}
        return {"objective": vec(numbers(self.rng, self.d)), "constant": rational(0)}

    def value(self, objective):
        """The true minimum, or some number."""
        if "unit" in objective:
            unit = objective["unit"]
            low = self.system.low(self.system.weight[unit])
            shift = self.system.bias[unit]
        else:
            den = int(objective["objective"]["den"], 16)
            low = self.system.low([F(int(v, 16), den) for v in objective["objective"]["num"]])
            shift = F(0)
        if isinstance(low, str) or self.rng.random() < 0.7:
            return rational(self.rng.choice(SMALL) + shift)
        return rational(low + shift)

    def optimum(self):
        objective, vertex = self.objective(), self.rng.random() < 0.3
        claim = {**objective, "value": self.value(objective), "vertex": vertex}
        witness = {"point": self.point(), "multipliers": self.multipliers()}
        return claim, {**witness, "vertex": self.minor()} if vertex else witness

    def dimension(self):
        claim = {"value": self.rng.randrange(-1, self.d + 1), "paper_bound": 0}
        claim["paper_bound"] = self.d - len(self.system.plus)
        if claim["value"] == -1:
            return claim, {"empty": self.multipliers()}
        by_target = self.rng.random() < 0.4
        if by_target:
            return claim, {"target": self.minor()}
        implicit = self.multipliers() if self.rng.random() < 0.5 else None
        rank = {"minor": self.minor(), "span": self.span()}
        return claim, {"interior": self.point(), "implicit": implicit, **rank}

    def kernel(self):
        if self.rng.random() < 0.3 or not self.n:
            return {"holds": True}, {"span": self.span()}
        witness = {"unit": self.rng.randrange(self.n)}
        if self.rng.random() < 0.5:
            return {"holds": False}, {**witness, "ray": vec(numbers(self.rng, self.d))}
        return {"holds": False}, {**witness, "minor": self.minor(), "span": self.span()}

    def bounded(self):
        form = self.rng.randrange(6)
        if form == 0:
            return {}, {"box": True}
        if form == 1:
            return {}, {"empty": self.multipliers()}
        return {}, {"multipliers": self.multipliers(), "minor": self.minor()}

    def unbounded(self):
        if self.rng.random() < 0.3:
            return {}, {"point": self.point(), "wide": True}
        return {}, {"point": self.point(), "ray": vec(numbers(self.rng, self.d))}

    def nearest(self):
        norm = self.rng.choice(["linf", "l1", "l2"])
        claim = {"from": vec(numbers(self.rng, self.d)), "norm": norm}
        ends = [abs(v) for v in numbers(self.rng, 2)]
        if norm == "l2":
            claim |= {"lower_squared": rational(min(ends)), "upper_squared": rational(max(ends))}
        else:
            claim["distance"] = rational(ends[0])
        functional = vec(numbers(self.rng, self.d))
        witness = {"point": self.point(), "functional": functional}
        return claim, {**witness, "multipliers": self.multipliers()}

    def lineality(self):
        witness = {"minor": self.minor(), "span": self.span()}
        free = self.stated["domain"]["kind"] == "free"
        return {"dimension": self.rng.randrange(self.d + 1)}, witness if free else {}

    def inequality(self):
        """A row or a bound, seldom one that is none."""
        bounds = [["floor", j] for j in range(self.d)] + [["ceiling", j] for j in range(self.d)]
        return {"inequality": self.rng.choice([*self.some_rows(1 if self.n else 0), *bounds])}

    def implicit_equality(self):
        claim = {**self.inequality(), "holds": self.rng.random() < 0.7}
        witness = {"point": self.point()}
        return claim, {**witness, "multipliers": self.multipliers()} if claim["holds"] else witness

    def bounds(self):
        objective = self.objective()
        ends = sorted(self.fraction(self.value(objective)) for _ in range(2))
        claim = {**objective, "lower": rational(ends[0]), "upper": rational(ends[1])}
        return claim, {"point": self.point(), "multipliers": self.multipliers()}

    @staticmethod
    def fraction(pair):
        return F(int(pair[0], 16), int(pair[1], 16))

    def active_set(self):
        """Mostly the true one."""
        chosen = {"active": [], "zero": []}
        for unit, z in enumerate(self.system.z):
            name = "active" if z > 0 else "zero" if z == 0 else "none"
            if self.rng.random() < 0.1:
                name = self.rng.choice(["active", "zero", "none"])
            chosen.setdefault(name, []).append(unit)
        return {name: chosen[name] for name in ("active", "zero")}, {}

    def unique(self):
        implicit = self.multipliers() if self.rng.random() < 0.6 else None
        return {"point": self.point()}, {"implicit": implicit, "minor": self.full_minor()}

    def generators(self):
        """The true generators, more often than not spoiled; n is small, so chance helps."""
        rng, system = self.rng, self.system
        lines, columns = [], []
        if self.stated["domain"]["kind"] == "free":
            found = [
                r for r in itertools.product([F(0), F(1), F(-1), F(2)], repeat=self.d) if any(r)
            ]
            inside = [r for r in found if all(dot(w, r) == 0 for w in system.weight)]
            for r in inside:
                if rank([*lines, r]) > len(lines) and rng.random() < 0.9:
                    lines.append(r)
            lines, columns = reduced_lines(lines)
        points, rays = map(sorted, generated(system, columns))
        for listed in (points, rays, lines, columns):
            if listed and rng.random() < 0.15:
                listed.pop(rng.randrange(len(listed)))
            if listed and rng.random() < 0.1:
                listed.append(rng.choice(listed))
        if rng.random() < 0.1:
            points.append(numbers(rng, self.d))
        if rng.random() < 0.1:
            rays.append(numbers(rng, self.d))
        claim = {"points": points, "rays": rays, "lines": lines}
        claim = {name: [vec(x) for x in listed] for name, listed in claim.items()}
        witness = {"implicit": None, "minor": self.full_minor(), "pivots": columns}
        if rng.random() < 0.3:
            witness["implicit"] = self.multipliers()
        if rng.random() < 0.5:
            return claim, {**witness, "perturbation": None, "bases": None}
        delta = {
            kind: sparse(size, {i: v for i in range(size) if (v := abs(rng.choice(SMALL)))})
            for kind, size in zip(
                ("upper", "lower", "floor", "ceiling"),
                (self.n, self.n, self.d, self.d),
                strict=True,
            )
        }
        bases = []
        for k in range(len(points)):
            for _ in range(rng.choice([1, 1, 2])):
                bases.append({"point": k, "shift": vec(numbers(rng, self.d))})
        return claim, {**witness, "perturbation": delta, "bases": bases}

    def full_minor(self):
        """Independent active rows with their inverse, as a rule."""
        rows = [row for row in self.names if row[0] == "equality"]
        size = rank(self.system.plus)
        if size not in (1, 2) or self.rng.random() < 0.2:
            return self.minor()
        for chosen in itertools.combinations(rows, size):
            for columns in itertools.combinations(range(self.d), size):
                part = [[self.weight[i][j] for j in columns] for _, i in chosen]
                if rank(part) == size:
                    return minor(self.weight, chosen, list(columns))
        return self.minor()

    def document(self):
        rng = self.rng
        forms = {
            "contains": lambda: ({}, {"point": self.point()}),
            "empty": lambda: ({}, {"multipliers": self.multipliers()}),
            "vertex": lambda: ({"point": self.point()}, {"vertex": self.minor()}),
            "unbounded_objective": lambda: (
                self.objective(),
                {"point": self.point(), "ray": vec(numbers(rng, self.d))},
            ),
            "redundant": lambda: (self.inequality(), {"multipliers": self.multipliers()}),
            "irredundant": lambda: (self.inequality(), {"point": self.point()}),
            "rank_positive": lambda: (
                {"rank": rng.randrange(self.d + 1)},
                {"minor": self.minor(), "span": self.span()},
            ),
            "rank_at_least": lambda: ({"rank": rng.randrange(-1, 4)}, {"minor": self.minor()}),
            "rank_at_most": lambda: ({"rank": rng.randrange(-1, 4)}, {"span": self.span()}),
        }
        claim, witness = forms.get(self.kind, lambda: getattr(self, self.kind)())()
        return document(self.kind, self.stated, claim, witness)
