"""No false claim is accepted: seeded mutants of every kind of certificate, judged by an oracle.

A mutant may still be a valid proof of a true claim; those are counted apart, not forbidden.
"""

import copy
import json
import random

import pytest

from polytope import checker
from tests.certificate_examples import EXAMPLES
from tests.certificate_oracle import is_true

MUTANTS = 330  # of each example


def places(node, path=()):
    """Every path to a value inside of a document, containers included."""
    if path:
        yield path
    if isinstance(node, (dict, list)):
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            yield from places(child, (*path, key))


def find(node, path):
    for key in path:
        node = node[key]
    return node


def changed_text(rng, text):
    try:
        value = int(text, 16)
    except ValueError:
        words = ["free", "nonnegative", "box", "equality", "upper", "lower", "linf", "l1", "l2"]
        return rng.choice([*words, *checker._FORMS, "F16", "Q", "", text + "\u0661", text[:-1]])
    near = [value + 1, value - 1, -value, 0, 1, 2 * value, value // 2, value + (1 << 70)]
    odd = ["", "0x" + text, text + "_0", "+" + text, text.upper() + " ", "\u0661", "nan", "1.5", 1]
    return format(rng.choice(near), "x") if rng.random() < 0.85 else rng.choice(odd)


def mutate(rng, document, donors):
    """Change one place: a number, a flag, a key, the order or length of a list, or a whole part."""
    paths = list(places(document))
    # Witness and claim are small beside the problem: choose the part first.
    part = rng.choice(["claim", "problem", "witness", "witness", "schema"])
    path = rng.choice([path for path in paths if path[0] == part])
    parent, key = find(document, path[:-1]), path[-1]
    value = parent[key]
    if rng.random() < 0.1:  # a part of another certificate
        same = [donor for donor in donors if part in donor]
        other = rng.choice([0, None, [], {}, "1"])
        parent[key] = copy.deepcopy(rng.choice(same)[part]) if len(path) == 1 else other
    elif isinstance(value, bool):
        parent[key] = not value
    elif isinstance(value, int):
        parent[key] = rng.choice([value + 1, value - 1, -1, 0, 1, 10**9, True, float(value)])
    elif isinstance(value, str):
        parent[key] = changed_text(rng, value)
    elif isinstance(value, list) and value:
        i, j = rng.randrange(len(value)), rng.randrange(len(value))
        action = rng.randrange(4)
        if action == 0:
            value[i], value[j] = value[j], value[i]
        elif action == 1:
            del value[i]
        elif action == 2:
            value.insert(i, copy.deepcopy(value[j]))
        else:
            value.reverse()
    elif isinstance(value, dict) and value:
        name = rng.choice(sorted(value))
        if rng.random() < 0.5:
            del value[name]
        else:
            value[rng.choice(["x", "point", "kind", "span"])] = value[name]
    else:
        parent[key] = rng.choice([{}, [], None, "0", 1])


def verdict(mutant):
    """The checker's refusal, or None; any other exception passes through and fails the test."""
    try:
        checker.check(mutant)
    except checker.CheckError as error:
        return error
    return None


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_false_mutant_is_accepted(name):
    rng, original = random.Random(f"mutants of {name}"), EXAMPLES[name]
    donors = list(EXAMPLES.values())
    accepted = refused = 0
    for _ in range(MUTANTS):
        mutant = copy.deepcopy(original)
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            mutate(rng, mutant, donors)
        if json.dumps(mutant) == json.dumps(original):
            continue
        error = verdict(mutant)
        if error is None:
            accepted += 1
            assert is_true(mutant), mutant
        else:
            refused += 1
            assert error.code in (checker.MALFORMED, checker.REFUSED, checker.LIMIT)
            assert str(error).isascii()
    assert refused > 150
    assert accepted < 150


def test_the_oracle_agrees_with_the_hand_made_claims():
    for name, document in EXAMPLES.items():
        assert is_true(document), name


def test_exchanged_parts_prove_nothing_false():
    """Each claim with the problem and the witness of every other example, all pairs."""
    accepted = 0
    for one in EXAMPLES.values():
        for other in EXAMPLES.values():
            for parts in (("problem",), ("witness",), ("problem", "witness")):
                mixed = {**one, **{part: other[part] for part in parts}}
                if verdict(mixed) is None:
                    accepted += 1
                    assert is_true(mixed)
    assert accepted >= 3 * len(EXAMPLES)  # at least each with itself
