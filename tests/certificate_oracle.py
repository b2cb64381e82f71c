"""Is a claim true?  A slow exact judge that uses no witness and shares no code with the checker.

Fourier-Motzkin elimination over Fractions; two or three inputs at most.
"""

import itertools
from fractions import Fraction as F

import numpy as np

DTYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I8": "i1", "I16": "<i2", "I32": "<i4"}
DTYPES |= {"I64": "<i8", "U8": "u1", "U16": "<u2", "U32": "<u4", "U64": "<u8"}


def rational(pair):
    return F(int(pair[0], 16), int(pair[1], 16))


def vector(spec):
    den = int(spec["den"], 16)
    values = [F(int(num, 16), den) for num in spec["num"]]
    if "index" not in spec:
        return values
    full = [F(0)] * spec["length"]
    for j, value in zip(spec["index"], values, strict=True):
        full[j] = value
    return full


def array(spec):
    if spec["dtype"] == "Q":
        flat = [rational(pair) for pair in zip(spec["num"], spec["den"], strict=True)]
    else:
        raw = bytes.fromhex(spec["data"])
        if spec["dtype"] == "BF16":
            raw = b"".join(b"\0\0" + raw[i : i + 2] for i in range(0, len(raw), 2))
        flat = [F(v) for v in np.frombuffer(raw, DTYPES.get(spec["dtype"], "<f4")).tolist()]
    if len(spec["shape"]) == 1:
        return flat
    count, size = spec["shape"]
    return [flat[i * size : (i + 1) * size] for i in range(count)]


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

    def __init__(self, stated):
        self.weight, self.bias = array(stated["weight"]), array(stated["bias"])
        self.d, e = stated["weight"]["shape"][1], rational(stated["tolerance"])
        if "target" in stated:
            x = array(stated["target"])
            z = [dot(w, x) + b for w, b in zip(self.weight, self.bias, strict=True)]
        else:
            z = array(stated["activation"])
        self.plus = [w for w, value in zip(self.weight, z, strict=True) if value > 0]
        self.equal, self.less, names = [], [], []
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
        unit = [tuple(F(int(i == j)) for i in range(self.d)) for j in range(self.d)]
        kind = stated["domain"]["kind"]
        lower = array(stated["domain"]["lower"]) if kind == "box" else [F(0)] * self.d
        if kind != "free":
            self.less += [(tuple(-v for v in u), -lo) for u, lo in zip(unit, lower, strict=True)]
            names += [("floor", j) for j in range(self.d)]
        if kind == "box":
            self.less += list(zip(unit, array(stated["domain"]["upper"]), strict=True))
            names += [("ceiling", j) for j in range(self.d)]
        both = self.equal + [(tuple(-v for v in a), -b) for a, b in self.equal]
        self.rows = self.less + both
        self.named = [*zip(names, self.less, strict=True), *((None, row) for row in both)]

    def has(self, x):
        return all(dot(a, x) <= b for a, b in self.rows)

    def low(self, objective, more=()):
        return minimum([*self.rows, *more], objective)

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
        """The squared l2 distance in the plane: f, its projections on lines, and corners."""
        found = [f] if self.has(f) else []
        for (a, b), (c, e) in itertools.product(self.rows, repeat=2):
            det = a[0] * c[1] - a[1] * c[0]
            if det:
                found.append([(b * c[1] - a[1] * e) / det, (a[0] * e - b * c[0]) / det])
            if any(a):
                step = (b - dot(a, f)) / dot(a, a)
                found.append([v + step * w for v, w in zip(f, a, strict=True)])
        return min(
            sum((v - w) ** 2 for v, w in zip(x, f, strict=True)) for x in found if self.has(x)
        )


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


def are_generators(system, points, rays, lines):
    """Whether the lists are those of C: a basis of its lines, the rest once modulo the lines."""
    if system.empty() or rank(lines) != len(lines) or any(not any(r) for r in rays):
        return False
    if any(dot(a, line) for a, _ in system.rows for line in lines):
        return False
    if rank([a for a, _ in system.rows]) != system.d - len(lines):
        return False
    basis, pivots = reduced_lines(lines)
    moved = []
    for x in (*points, *rays):
        shift = [[x[p] * v for v in line] for line, p in zip(basis, pivots, strict=True)]
        moved.append(tuple(v - sum(column) for v, *column in zip(x, *shift, strict=True)))
    found = set(moved[: len(points)]), {directed(r) for r in moved[len(points) :]}
    once = (len(found[0]), len(found[1])) == (len(points), len(rays))
    return once and found == generated(system, pivots)


def is_redundant(system, document):
    """Whether the other constraints imply the one that the claim names."""
    kind, i = document["claim"]["inequality"]
    own = next(a_b for name, a_b in system.named if name == (kind, i))
    others = [a_b for name, a_b in system.named if name != (kind, i)]
    low = minimum(others, [-v for v in own[0]])
    return low == "empty" or (low != "-inf" and -low <= own[1])


def is_vertex(system, x):
    tight = [a for a, b in system.rows if dot(a, x) == b]
    return system.has(x) and rank(tight) == system.d


def is_true(document):
    """Judge the claim of a well-formed certificate."""
    claim, system = document["claim"], System(document["problem"])
    kind = claim["kind"]
    if kind in ("optimum", "unbounded_objective"):
        if "unit" in claim:
            objective, constant = system.weight[claim["unit"]], system.bias[claim["unit"]]
        else:
            objective, constant = vector(claim["objective"]), rational(claim["constant"])
        low = system.low(objective)
        if kind == "unbounded_objective":
            return low == "-inf"
        pointed = rank([a for a, _ in system.rows]) == system.d
        right = not isinstance(low, str) and low + constant == rational(claim["value"])
        return right and (pointed or not claim["vertex"])
    if kind == "nearest":
        f = vector(claim["from"])
        if claim["norm"] != "l2":
            return system.distance(claim["norm"], f) == rational(claim["distance"])
        square = system.squared_distance(f)
        return rational(claim["lower_squared"]) <= square <= rational(claim["upper_squared"])
    lines = 0
    if document["problem"]["domain"]["kind"] == "free":
        lines = system.d - rank(system.weight)
    judge = {
        "contains": lambda: system.has(vector(document["witness"]["point"])),
        "empty": system.empty,
        "vertex": lambda: is_vertex(system, vector(claim["point"])),
        "rank_positive": lambda: rank(system.plus) == claim["rank"],
        "kernel": lambda: (rank(system.plus) == rank(system.weight)) == claim["holds"],
        "dimension": lambda: (
            (system.dimension(), system.d - len(system.plus))
            == (claim["value"], claim["paper_bound"])
        ),
        "lineality": lambda: claim["dimension"] == lines,
        "bounded": system.bounded,
        "unbounded": lambda: not system.bounded() and not system.empty(),
        "generators": lambda: are_generators(
            system, *([vector(x) for x in claim[name]] for name in ("points", "rays", "lines"))
        ),
        "redundant": lambda: is_redundant(system, document),
        "irredundant": lambda: not is_redundant(system, document),
    }
    return judge[kind]()
