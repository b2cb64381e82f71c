"""One vertex, two vertices: how is a number said with its noun?"""


def counted(count: int, plural: str) -> str:
    """Returns a number and its noun.

    >>> counted(1, "exact vertices"), counted(1, "inequalities"), counted(1200, "rays")
    ('1 exact vertex', '1 inequality', '1,200 rays')
    """
    if count != 1:
        return f"{count:,} {plural}"
    for many, one in (("vertices", "vertex"), ("ies", "y"), ("ches", "ch"), ("s", "")):
        if plural.endswith(many):
            return f"1 {plural.removesuffix(many)}{one}"
    return f"1 {plural}"
