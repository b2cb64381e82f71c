"""`collide certify`: facts and certificates of a layer or polyhedron from a file."""

import argparse
import json
import sys

from experiments.run.progress import Progress


def certify(options: argparse.Namespace) -> int:
    """Facts and certificates of a layer from a file."""
    from experiments.own.certify import certify_layer

    found = certify_layer(options, Progress(quiet=options.quiet))
    made = len(found["vertices"])
    if made < options.vertices:
        text = f"note: --vertices {options.vertices} asks for more than the {made} inactive units"
        print(text, file=sys.stderr)
    if options.json:
        print(json.dumps(found, indent=1))
        return 0
    for name, value in found["facts"].items():
        if name != "certificates":
            print(f"{name:20} {value}")
    print(f"{'unique':20} {found['uniqueness']['sentence']}")
    for each in found["vertices"]:
        value = "" if each["value"] is None else each["approx"]
        shown = "beyond the range of floats" if value is None else value
        proof = each["certificate"]
        print(
            f"unit {each['unit']:<6} {each['status']:10} {shown}  {proof['file'] if proof else ''}"
        )
    for each in found["claims"]:
        proof = each["certificate"]
        print(f"{each['claim']:34} {proof['file'] if proof else each['reason']}")
    print(f"written to {found['folder']}: certificates, checker.py, record.json")
    return 0
