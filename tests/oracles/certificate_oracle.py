"""Is a claim true?  A slow exact judge that uses no witness and shares no code with the checker.

Fourier-Motzkin elimination over Fractions; two or three inputs at most.
"""

import itertools
from fractions import Fraction as F

from tests.oracles.certificate_arrays import array, rational, shaped, sides, vector
from tests.oracles.certificate_functions import ends_are_true


def dot(a, b):
    return sum((x * y for x, y in zip(a, b, strict=True)), F(0))


def rank(rows):
    rows, found = [list(row) for row in rows], 0
    for j in range(len(rows[0]) if rows else 0):
        pivot = next((i for i in range(found, len(rows)) if rows[i][j]), None)
        if pivot is None:
            continue
        rows[found], rows[pivot] = rows[pivot], rows[found]
        for i in range(found + 1, len(rows)):
            factor = rows[i][j] / rows[found][j]
            rows[i] = [a - factor * b for a, b in zip(rows[i], rows[found], strict=True)]
        found += 1
    return found


def minimum(rows, objective):
    """The infimum of objective x over {a x <= b, (a, b) in rows}: a Fraction, "-inf" or "empty"."""
    # Variables t, x with t >= objective x; eliminate x, read the least t off.
    rows = {((F(-1), *objective), F(0))} | {((F(0), *a), b) for a, b in rows}
    for j in range(len(objective), 0, -1):
        zero = {row for row in rows if row[0][j] == 0}
        up = [row for row in rows if row[0][j] > 0]
        down = [row for row in rows if row[0][j] < 0]
        for (a, b), (c, e) in itertools.product(up, down):
            p, q = -c[j], a[j]
            left = [p * u + q * v for u, v in zip(a, c, strict=True)]
            scale = max((abs(v) for v in left), default=F(0)) or F(1)
            zero.add((tuple(v / scale for v in left), (p * b + q * e) / scale))
        rows = zero
    if any(a[0] == 0 and b < 0 for a, b in rows):
        return "empty"
    return max((b / a[0] for a, b in rows if a[0] < 0), default="-inf")


class System:
    """The rows of C, and of the tolerance-0 split, straight from the document."""

    def __init__(self, stated, folder=None):
        self.weight, self.bias = array(stated["weight"], folder), array(stated["bias"], folder)
        self.d = shaped(stated["weight"], folder)[1][1]
        self.target = array(stated["target"], folder) if "target" in stated else None
        self.equal, self.less = [], []
        names = self.stated_rows(stated) if "floors" in stated else self.layer(stated, folder)
        unit = [tuple(F(int(i == j)) for i in range(self.d)) for j in range(self.d)]
        kind = stated["domain"]["kind"]
        lower = array(stated["domain"]["lower"], folder) if kind == "box" else [F(0)] * self.d
        if kind != "free":
            self.less += [(tuple(-v for v in u), -lo) for u, lo in zip(unit, lower, strict=True)]
            names += [("floor", j) for j in range(self.d)]
        if kind == "box":
            self.less += list(zip(unit, array(stated["domain"]["upper"], folder), strict=True))
            names += [("ceiling", j) for j in range(self.d)]
        both = self.equal + [(tuple(-v for v in a), -b) for a, b in self.equal]
        self.rows = self.less + both
        self.named = [*zip(names, self.less, strict=True), *((None, row) for row in both)]

    def layer(self, stated, folder):
        e = rational(stated["tolerance"])
        if self.target is not None:
            z = [dot(w, self.target) + b for w, b in zip(self.weight, self.bias, strict=True)]
        else:
            z = array(stated["activation"], folder)
        self.z = z
        self.plus = [w for w, value in zip(self.weight, z, strict=True) if value > 0]
        names = []
        for i, (w, b, value) in enumerate(zip(self.weight, self.bias, z, strict=True)):
            y = max(value, F(0))
            if e == 0 and y > 0:
                self.equal.append((tuple(w), y - b))
                continue
            self.less.append((tuple(w), y + e - b))
            names.append(("upper", i))
            if e > 0 and y > e:
                self.less.append((tuple(-v for v in w), b + e - y))
                names.append(("lower", i))
        return names

    def stated_rows(self, stated):
        self.plus, names = [], []
        floors, ceilings = sides(stated["floors"]), sides(stated["ceilings"])
        for i, (w, b) in enumerate(zip(self.weight, self.bias, strict=True)):
            if i in floors and floors[i] == ceilings.get(i):
                self.equal.append((tuple(w), floors[i] - b))
                self.plus.append(w)
                continue
            if i in ceilings:
                self.less.append((tuple(w), ceilings[i] - b))
                names.append(("upper", i))
            if i in floors:
                self.less.append((tuple(-v for v in w), b - floors[i]))
                names.append(("lower", i))
        return names

    def has(self, x):
        return all(dot(a, x) <= b for a, b in self.rows)

    def least(self, rows, objective):
        return minimum(rows, objective)

    def low(self, objective, more=()):
        return self.least([*self.rows, *more], objective)

    def lists(self, pivots):
        return generated(self, pivots)

    def empty(self):
        return self.low([F(0)] * self.d) == "empty"

    def bounded(self):
        unit = [[F(s * int(i == j)) for i in range(self.d)] for j in range(self.d) for s in (1, -1)]
        return all(self.low(u) != "-inf" for u in unit)

    def dimension(self):
        if self.empty():
            return -1
        tight = [a for a, b in self.rows if self.low(a) == b]
        return self.d - rank(tight)

    def distance(self, norm, f):
        """The linf or l1 distance from f, one linear program on each piece of the norm."""
        found = []
        for signs in itertools.product((1, -1), repeat=self.d):
            # s_j (x_j - f_j) >= 0, and for linf the first among equals is the largest.
            side = [[F(-s * int(i == j)) for i in range(self.d)] for j, s in enumerate(signs)]
            more = [(tuple(a), dot(a, f)) for a in side]
            if norm == "l1":
                found.append((self.low([F(s) for s in signs], more), signs))
            else:
                for a in side:
                    gaps = [tuple(p - q for p, q in zip(a, b, strict=True)) for b in side]
                    largest = [(gap, dot(gap, f)) for gap in gaps]
                    found.append((self.low([-v for v in a], more + largest), [-v for v in a]))
        return min(low - dot(c, f) for low, c in found if not isinstance(low, str))

    def squared_distance(self, f):
        """The least squared l2 distance of the projections of f on tight rows that are in C."""
        found = []
        for size in range(self.d + 1):
            for chosen in itertools.combinations(self.rows, size):
                gram = [([dot(a, c) for c, _ in chosen], b - dot(a, f)) for a, b in chosen]
                steps = solved(gram, size)
                if steps is None:
                    continue
                scaled = [[t * v for v in a] for t, (a, _) in zip(steps, chosen, strict=True)]
                x = [v + sum(column) for v, *column in zip(f, *scaled, strict=True)]
                if self.has(x):
                    found.append(sum((v - w) ** 2 for v, w in zip(x, f, strict=True)))
        return min(found)


def solved(rows, d):
    """The solution of rows (a, b) of rank d as a x = b; None if the rank is lower."""
    rows = [[*a, b] for a, b in rows]
    if rank([row[:d] for row in rows]) < d:
        return None
    for j in range(d):
        pivot = next(i for i in range(j, len(rows)) if rows[i][j])
        rows[j], rows[pivot] = rows[pivot], rows[j]
        rows[j] = [v / rows[j][j] for v in rows[j]]
        for i in range(len(rows)):
            if i != j:
                factor = rows[i][j]
                rows[i] = [u - factor * v for u, v in zip(rows[i], rows[j], strict=True)]
    return tuple(row[d] for row in rows[:d])


def reduced_lines(lines):
    """The lines in reduced echelon form, and the pivot of each."""
    lines, pivots = [list(line) for line in lines], []
    for i in range(len(lines)):
        pivot = next(j for j, v in enumerate(lines[i]) if v)
        lines[i] = [v / lines[i][pivot] for v in lines[i]]
        for k in range(len(lines)):
            if k != i:
                factor = lines[k][pivot]
                lines[k] = [u - factor * v for u, v in zip(lines[k], lines[i], strict=True)]
        pivots.append(pivot)
    return lines, pivots


def directed(r):
    size = max(abs(v) for v in r)
    return tuple(v / size for v in r)


def generated(system, pivots):
    """Vertices and extreme rays of C where x is 0 at the pivots, from all choices of rows."""
    d, origin = system.d, (F(0),) * system.d
    unit = [[F(int(i == j)) for i in range(d)] for j in range(d)]
    still = [(tuple(unit[j]), F(0)) for j in pivots]
    cone = [(a, F(0)) for a, _ in system.rows]
    points, rays = set(), set()
    for chosen in itertools.combinations(system.rows, d - len(pivots)):
        x = solved([*still, *chosen], d)
        if x is not None and system.has(x):
            points.add(x)
    for chosen in itertools.combinations(cone, max(d - len(pivots) - 1, 0)):
        for j in range(d):  # the ray has a 1 or -1 there
            for sign in (1, -1):
                r = solved([*still, *chosen, (tuple(unit[j]), F(sign))], d)
                if r not in (None, origin) and all(dot(a, r) <= 0 for a, _ in cone):
                    rays.add(directed(r))
    return points, rays


def normal_lists(points, rays, lines):
    """Points and rays modulo independent lines, the lines in echelon form, and their pivots."""
    basis, pivots = reduced_lines(lines)
    moved = []
    for x in (*points, *rays):
        shift = [[x[p] * v for v in line] for line, p in zip(basis, pivots, strict=True)]
        moved.append(tuple(v - sum(column) for v, *column in zip(x, *shift, strict=True)))
    turned = [directed(r) if any(r) else r for r in moved[len(points) :]]
    return moved[: len(points)], turned, basis, pivots


def are_generators(system, points, rays, lines):
    """Whether the lists are those of C: a basis of its lines, the rest once modulo the lines."""
    if system.empty() or rank(lines) != len(lines) or any(not any(r) for r in rays):
        return False
    if any(dot(a, line) for a, _ in system.rows for line in lines):
        return False
    if rank([a for a, _ in system.rows]) != system.d - len(lines):
        return False
    points, rays, _, pivots = normal_lists(points, rays, lines)
    found = set(points), set(rays)
    once = (len(found[0]), len(found[1])) == (len(points), len(rays))
    return once and found == system.lists(pivots)


def others(system, claim):
    """The inequality that a claim names, and all other constraints."""
    name = tuple(claim["inequality"])
    own = next(row for found, row in system.named if found == name)
    return own, [row for found, row in system.named if found != name]


def is_redundant(system, claim):
    """Whether the other constraints imply the one that the claim names."""
    (a, b), rest = others(system, claim)
    low = system.least(rest, [-v for v in a])
    return low == "empty" or (low != "-inf" and -low <= b)


def is_implicit(system, claim):
    """Whether C is not empty, and the inequality tight (or not) on all of it."""
    (a, b), _ = others(system, claim)
    low = system.low(a)
    return low != "empty" and (low == b) == claim["holds"]


def is_vertex(system, x):
    tight = [a for a, b in system.rows if dot(a, x) == b]
    return system.has(x) and rank(tight) == system.d


def is_minimum(system, claim):
    """Whether the least value is the stated one, or between the stated ones, or there is none."""
    if "unit" in claim:
        objective, constant = system.weight[claim["unit"]], system.bias[claim["unit"]]
    else:
        objective, constant = vector(claim["objective"]), rational(claim["constant"])
    low = system.low(objective)
    if claim["kind"] == "unbounded_objective":
        return low == "-inf"
    if isinstance(low, str):
        return False
    if claim["kind"] == "bounds":
        return rational(claim["lower"]) <= low + constant <= rational(claim["upper"])
    pointed = rank([a for a, _ in system.rows]) == system.d
    return low + constant == rational(claim["value"]) and (pointed or not claim["vertex"])


def is_distance(system, claim):
    f = vector(claim["from"])
    if claim["norm"] != "l2":
        return system.distance(claim["norm"], f) == rational(claim["distance"])
    square = system.squared_distance(f)
    return rational(claim["lower_squared"]) <= square <= rational(claim["upper_squared"])


def has_distinct(system, distance):
    """Whether a point at this linf distance from the target is in C: a convex set with the target.

    So all distances occur up to the largest, which is one along an axis.
    """
    if system.target is None or distance <= 0:
        return False
    for j, x in enumerate(system.target):
        for sign in (1, -1):
            low = system.low([F(sign * (i == j)) for i in range(system.d)])
            if low == "-inf" or (low != "empty" and sign * x - low >= distance):
                return True
    return False


def signs_are(system, claim):
    if system.target is None:
        return False
    return all(
        sorted(claim[name]) == [i for i, z in enumerate(system.z) if holds(z)]
        for name, holds in (("active", lambda z: z > 0), ("zero", lambda z: z == 0))
    )


def lineality(system, document):
    free = document["problem"]["domain"]["kind"] == "free"
    # A unit may ask for nothing, and is then no row.
    return system.d - rank([a for a, _ in system.rows]) if free else 0


JUDGES = {
    "contains": lambda s, d: s.has(vector(d["witness"]["point"])),
    "distinct": lambda s, d: has_distinct(s, rational(d["claim"]["distance"])),
    "active_set": lambda s, d: signs_are(s, d["claim"]),
    "empty": lambda s, _: s.empty(),
    "optimum": lambda s, d: is_minimum(s, d["claim"]),
    "bounds": lambda s, d: is_minimum(s, d["claim"]),
    "unbounded_objective": lambda s, d: is_minimum(s, d["claim"]),
    "vertex": lambda s, d: is_vertex(s, vector(d["claim"]["point"])),
    "unique": lambda s, d: s.has(vector(d["claim"]["point"])) and s.dimension() == 0,
    "implicit_equality": lambda s, d: is_implicit(s, d["claim"]),
    "rank_positive": lambda s, d: rank(s.plus) == d["claim"]["rank"],
    "rank_at_least": lambda s, d: rank(s.plus) >= d["claim"]["rank"],
    "rank_at_most": lambda s, d: rank(s.plus) <= d["claim"]["rank"],
    "kernel": lambda s, d: (rank(s.plus) == rank(s.weight)) == d["claim"]["holds"],
    "dimension": lambda s, d: (
        (s.dimension(), s.d - len(s.plus)) == (d["claim"]["value"], d["claim"]["paper_bound"])
    ),
    "lineality": lambda s, d: d["claim"]["dimension"] == lineality(s, d),
    "bounded": lambda s, _: s.bounded(),
    "unbounded": lambda s, _: not s.bounded() and not s.empty(),
    "nearest": lambda s, d: is_distance(s, d["claim"]),
    "generators": lambda s, d: are_generators(
        s, *([vector(x) for x in d["claim"][name]] for name in ("points", "rays", "lines"))
    ),
    "redundant": lambda s, d: is_redundant(s, d["claim"]),
    "irredundant": lambda s, d: not is_redundant(s, d["claim"]),
}


def is_true(document, folder=None, system=System):
    """Judge the claim of a well-formed certificate."""
    stated = document["problem"]
    if stated["form"] == "function" and not ends_are_true(stated, folder):
        return False
    return JUDGES[document["claim"]["kind"]](system(document["problem"], folder), document)
