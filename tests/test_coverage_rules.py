"""Every module has a test file of its own, or a written reason why another file tests it.

A test file is named by the path of what it tests: `tests/test_polytope_lp_linprog.py`, with more
words where there are several; the longest name that fits is meant.  The own test file of a room,
`tests/test_polytope_formats.py`, is none of its modules'.
"""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.examples.module_graph import FILES, NAMES, ROOT, modules, name_of


@dataclass(frozen=True)
class Elsewhere:
    """Modules of one room that are tested together.

    Attributes:
        room: of the modules.
        tested_in: words of the test file, `polytope_lp_linprog`.
        reason: why there, and by what.
        modules: names in the room.
    """

    room: str
    tested_in: str
    reason: str
    modules: str

    def names(self) -> list[str]:
        """The modules by their whole names."""
        return [f"{self.room}.{name}" for name in self.modules.split()]


LISTED = (
    # --- polytope: mostly steps of one algorithm, which is tested as a whole
    Elsewhere(
        "polytope",
        "public_api",
        "error classes have no code of their own; every test of an error names one",
        "errors",
    ),
    Elsewhere(
        "polytope.exact",
        "polytope_exact_rational",
        "arrays of rationals, and how a float becomes one, are one subject",
        "array",
    ),
    Elsewhere(
        "polytope.exact",
        "polytope_exact_products",
        "each kind of matrix multiplies as the others do: one table of examples for all",
        "matrix scaled",
    ),
    Elsewhere(
        "polytope.sets",
        "polytope_sets_functions",
        "a function and its name are one table",
        "nonlinearity",
    ),
    Elsewhere(
        "polytope.exact",
        "polytope_measures_local",
        "roots between floats are needed by lengths alone, and tested by those",
        "roots",
    ),
    Elsewhere(
        "polytope.exact",
        "polytope_hostile_numbers",
        "a float that vanishes does so in every routine: one attack on all",
        "underflow",
    ),
    Elsewhere(
        "polytope.answers",
        "polytope_checker_completeness",
        "a certificate is right if the checker, which shares no code, accepts it and no other",
        "certificates",
    ),
    Elsewhere(
        "polytope.answers",
        "polytope_vertices_enumeration",
        "lists of generators are made by the enumeration, and told apart by what it finds",
        "generators",
    ),
    Elsewhere(
        "polytope.lp",
        "polytope_lp_linprog",
        "steps on the way to one answer: right, wrong and missing proposals all go through solve",
        "basis equilibrate exact_simplex highs program proof proposals walk",
    ),
    Elsewhere(
        "polytope.questions",
        "polytope_collision",
        "questions of the polytope, asked over one table of examples with answers by hand",
        "feasibility kernel membership minimize nearest recession",
    ),
    Elsewhere(
        "polytope.questions",
        "polytope_lp_interior_point",
        "the nearest point in l2 is proposed by this method, and bounded exactly",
        "euclidean",
    ),
    Elsewhere(
        "polytope.questions",
        "polytope_properties",
        "distances in l2 and in other norms bound each other",
        "projection",
    ),
    Elsewhere(
        "polytope.questions",
        "polytope_questions_dimension",
        "a point that is strict where it can be is how a dimension is found",
        "interior",
    ),
    Elsewhere(
        "polytope.questions",
        "polytope_questions_redundancy",
        "which constraints a contradiction does not need is asked by redundancy alone",
        "contradictions",
    ),
    Elsewhere(
        "polytope.vertices",
        "polytope_vertices_enumeration",
        "steps of the enumeration: a wrong one is a vertex missing, or too many",
        "ahead blas exact_points size_estimate start",
    ),
    Elsewhere(
        "polytope.vertices",
        "polytope_vertices_lifting",
        "the walk over bases, with every set lifted and not, against all bases by hand",
        "exact_bases limits traverse",
    ),
    Elsewhere(
        "polytope.vertices",
        "polytope_vertices_cross_check",
        "the second engine and the first agree or the list is refused",
        "engine",
    ),
    Elsewhere(
        "polytope.vertices",
        "polytope_against_engines",
        "the smaller sets of the walk, on layers of every family, against exact engines",
        "reduction",
    ),
    Elsewhere(
        "polytope.vertices",
        "polytope_vertices_purification",
        "ends of a face that purification takes to its vertex: one table of starts",
        "crossover face_point",
    ),
    Elsewhere(
        "polytope.measures",
        "polytope_measures_diameter",
        "all distances of a list, of which the diameter is one",
        "distances",
    ),
    Elsewhere(
        "polytope.measures",
        "polytope_measures_volume",
        "faces are what a volume is summed over",
        "faces",
    ),
    Elsewhere(
        "polytope.measures",
        "polytope_measures_sampling",
        "the two ways to sample, by triangles of a list and by walks without one",
        "hit_and_run triangulation",
    ),
    Elsewhere(
        "polytope.measures",
        "polytope_measures_ball",
        "the affine hull in which balls and ellipsoids lie",
        "hull",
    ),
    Elsewhere(
        "polytope.network",
        "polytope_network_region",
        "the walk through a network and the forms it carries are the region's",
        "forms graph",
    ),
    Elsewhere(
        "polytope.network",
        "polytope_network_region_polytope",
        "a neighbour is found from the facets of a region's polytope",
        "neighbours",
    ),
    Elsewhere(
        "polytope.formats",
        "polytope_formats",
        "every format reads and writes the same sets: one table of files, good and broken",
        "cdd generated native normaliz polymake text",
    ),
    Elsewhere(
        "polytope.formats",
        "polytope_formats_interchange",
        "what every format is read into and written from",
        "representations",
    ),
    # --- optimize
    Elsewhere(
        "optimize.exact",
        "optimize_exact",
        "every exact layer is torch's own, network by network",
        "affine checks constants input_space layer network stored summed",
    ),
    Elsewhere(
        "optimize.model",
        "optimize_model_graph",
        "steps of the one reading of a model: networks of every form go through all",
        "hooked inplace listing operations paths reading steps trace",
    ),
    Elsewhere(
        "optimize.model",
        "optimize_model_recording",
        "what is written without modules or cannot be traced, and how such a model is run",
        "alone copying folding others products",
    ),
    Elsewhere(
        "optimize.model",
        "optimize_exact",
        "windows of every convolution and pool, against torch's own",
        "windows",
    ),
    Elsewhere(
        "optimize.search",
        "optimize_search_finder",
        "a search begins, moves on and returns: resumed ones equal unbroken ones bit for bit",
        "result run setup",
    ),
    # --- experiments: rooms of all
    Elsewhere(
        "experiments.run",
        "experiments_run_rows",
        "an outcome is what a row keeps and gives back",
        "outcomes",
    ),
    Elsewhere(
        "experiments.run",
        "experiments_run_request",
        "a request's fields, and the parser made of them",
        "parser",
    ),
    Elsewhere(
        "experiments.run",
        "experiments_cli",
        "options out of their range are typed, and refused",
        "checks trained",
    ),
    Elsewhere(
        "experiments.run",
        "experiments_run_folder",
        "what a command is given for its run, its folder among it",
        "desk",
    ),
    Elsewhere(
        "experiments.run",
        "experiments_run_pool",
        "progress is told of jobs as they end",
        "progress",
    ),
    Elsewhere(
        "experiments.run",
        "experiments_hostile_machine",
        "streams that are closed or full: a command is started with them",
        "terminal",
    ),
    Elsewhere(
        "experiments.run",
        "experiments_run_record",
        "a record names the versions",
        "versions",
    ),
    Elsewhere(
        "experiments.run",
        "experiments_own_vertices",
        "one vertex is no vertices: in the longest texts that are printed",
        "words",
    ),
    Elsewhere(
        "experiments.run",
        "experiments_mnist",
        "the arrays beside a record are what its numbers are computed from anew",
        "arrays",
    ),
    Elsewhere(
        "experiments.run",
        "experiments_lenet5_run",
        "proofs are kept in a run's folder, named in its record, and too large ones are not",
        "proofs",
    ),
    Elsewhere(
        "experiments.readers",
        "experiments_bad_files",
        "every reader of a stranger's file is given the same bad ones",
        "arrays foreign_files torch_files",
    ),
    Elsewhere(
        "experiments.datasets",
        "experiments_small",
        "the data of one experiment",
        "small",
    ),
    Elsewhere(
        "experiments.models",
        "experiments_models_registry",
        "which files hold a network is a part of what a word can mean",
        "files",
    ),
    Elsewhere(
        "experiments.models.keras",
        "experiments_models_keras_reader",
        "configuration, arrays and layers are read together: networks are what is right or wrong",
        "build config contents hdf5 layers windows",
    ),
    Elsewhere(
        "experiments.models.foreign",
        "experiments_models_foreign_nnet",
        "the steps of a network that was read are seen by what they compute",
        "network",
    ),
    Elsewhere(
        "experiments.models",
        "experiments_models_train",
        "architectures are what is trained, presets what they are called",
        "architectures presets",
    ),
    Elsewhere(
        "experiments.models",
        "experiments_mnist_survey",
        "the perceptron's weights are sent to a process, and are a network again there",
        "mlp",
    ),
    Elsewhere(
        "experiments.models",
        "experiments_mnist",
        "what a record keeps of a trained network",
        "summary",
    ),
    Elsewhere(
        "experiments.models",
        "experiments_models_squeezenet",
        "one network: its layers, its file, and the coding of that file",
        "squeezenet_codec squeezenet_weights",
    ),
    Elsewhere(
        "experiments.models",
        "experiments_models_vgg16",
        "pixels are prepared for a network with known answers",
        "preprocess",
    ),
    Elsewhere(
        "experiments.models",
        "experiments_models_vgg16_weights",
        "a file of weights is held against what is known of its checksum",
        "checksums",
    ),
    Elsewhere(
        "experiments.models",
        "experiments_models_registry",
        "weights are read for the network that is named",
        "weights",
    ),
    Elsewhere(
        "experiments.models.onnx",
        "experiments_models_onnx",
        "every operation is compared with two other runtimes, a file for each",
        "beyond build elementwise inputs linear nodes opaque ops pools running shapes windows",
    ),
    Elsewhere(
        "experiments.measure",
        "experiments_measure_collisions",
        "the meanings of a collision, after eight bits and between two points",
        "grey_levels interpolation",
    ),
    Elsewhere(
        "experiments.measure",
        "experiments_mnist",
        "numbers of a run, computed anew from its arrays",
        "case compared facts minimum search",
    ),
    Elsewhere(
        "experiments.measure",
        "experiments_own_vertices",
        "sizes and inequalities of sets that are known by hand",
        "inequalities set_measures uniqueness",
    ),
    Elsewhere(
        "experiments.show",
        "experiments_show_tables",
        "cells of tables: numbers and certificates",
        "numbers proof_cells",
    ),
    Elsewhere(
        "experiments.show",
        "experiments_mnist",
        "a run's page and figures, and its golden file",
        "figures image_grid page printed",
    ),
    Elsewhere(
        "experiments.pictures",
        "experiments_pictures_polytope",
        "pictures of sets that are known by hand, in the plane and in space",
        "paper_figure plane sections solid",
    ),
    # --- experiments: one run each, whose record, tables and figures are read
    Elsewhere(
        "experiments.mnist",
        "experiments_mnist",
        "one run of the command, its numbers computed anew, its tables by cells",
        "controls figures gather jobs near_figures near_tables options output report results run"
        " searches set_tables setting tables",
    ),
    Elsewhere(
        "experiments.mnist",
        "experiments_mnist_recipe",
        "the recipe's way is one subject: the search, the job that watches it, and its figure",
        "course_figure course_job",
    ),
    Elsewhere(
        "experiments.mnist",
        "experiments_mnist_survey",
        "one run of the survey, its rows computed anew, its summary by hand",
        "survey_figure survey_job survey_options survey_results survey_summary survey_tables",
    ),
    Elsewhere(
        "experiments.lenet5",
        "experiments_lenet5_run",
        "one run of the command, its numbers computed anew, its tables by cells",
        "case exact_tables figures gather meaning_tables options output own_region pieces results"
        " search sets setting tables words",
    ),
    Elsewhere(
        "experiments.images",
        "experiments_vgg16",
        "what both experiments on images share is run by the smaller one",
        "detail_tables exact figures layer_table options output pair results search setting tables"
        " watched",
    ),
    Elsewhere(
        "experiments.vgg16",
        "experiments_vgg16",
        "one run of the command on a narrow stand-in, its numbers computed anew",
        "fc6_targets options run",
    ),
    Elsewhere(
        "experiments.squeezenet",
        "experiments_squeezenet",
        "one run of the command on small images, its positions computed anew",
        "conv10 dimension figure options output positions results run tables",
    ),
    Elsewhere(
        "experiments.scales",
        "experiments_scales",
        "one run of the command on small data, its numbers computed anew",
        "figure images job looks options output results run tables",
    ),
    Elsewhere(
        "experiments.small",
        "experiments_small",
        "one run of the command on the moons, its numbers against each other",
        "figures net options output report results run sets tables targets",
    ),
    Elsewhere(
        "experiments.own",
        "experiments_own_compare",
        "one comparison, its numbers by the library's own, its tables by cells",
        "about at_target compare_tables domain input_space kept_search layer_space meaning_tables"
        " results solver words",
    ),
    Elsewhere(
        "experiments.own",
        "experiments_own_network",
        "the two short commands on one network, its layers counted in floats",
        "find layers options",
    ),
    Elsewhere(
        "experiments.own",
        "experiments_own_claims",
        "one command: the file of a set, its options, every claim",
        "certify set_file set_options",
    ),
    Elsewhere(
        "experiments.own",
        "experiments_own_layer_set",
        "which input, which inputs, and what is too large: asked of a network's layer",
        "each_target places savable",
    ),
    Elsewhere(
        "experiments.own",
        "experiments_own_vertices",
        "what the command prints and keeps of lists that are known by hand",
        "vertices_lines vertices_results",
    ),
    Elsewhere(
        "experiments.own",
        "experiments_own_input",
        "which units, sizes and bounds a text means, with the input they are for",
        "texts",
    ),
    Elsewhere(
        "experiments.bench",
        "experiments_bench",
        "each benchmark is run at tiny sizes, and its record read",
        "checker deep fc6 fc6_layer fc6_vertex fresh gap layers lp options peers report units",
    ),
    Elsewhere(
        "experiments.bench",
        "experiments_bench_finder",
        "the finder is measured in deep networks",
        "limits networks",
    ),
    Elsewhere(
        "experiments.bench",
        "experiments_bench_enumeration",
        "one tiny run beside every peer that is installed",
        "enumeration_figure enumeration_report enumeration_sets",
    ),
    Elsewhere(
        "experiments.bench",
        "experiments_bench_exact_peers",
        "the programs that are compared with, in processes of their own",
        "exact_sets peer_process",
    ),
    Elsewhere(
        "experiments.cli",
        "experiments_cli",
        "what all commands have in common: words, help, exit codes, errors",
        "bench certify doctor explain fetch help_text main mnist reproduce verify",
    ),
    Elsewhere(
        "experiments.cli",
        "experiments_lenet5_run",
        "the command is typed beside its run",
        "lenet5",
    ),
    Elsewhere(
        "experiments.cli",
        "experiments_own_compare",
        "the commands on a network are typed beside their runs",
        "compare find",
    ),
    Elsewhere(
        "experiments.cli",
        "experiments_own_network",
        "the command is typed beside its run",
        "layers",
    ),
    Elsewhere(
        "experiments.cli",
        "experiments_own_vertices",
        "the command is typed beside its run",
        "vertices",
    ),
    Elsewhere(
        "experiments.cli",
        "experiments_scales",
        "the command is typed beside its run",
        "scales",
    ),
    Elsewhere(
        "experiments.cli",
        "experiments_small",
        "the command is typed beside its run",
        "small",
    ),
    Elsewhere(
        "experiments.cli",
        "experiments_squeezenet",
        "the command is typed beside its run",
        "squeezenet",
    ),
    Elsewhere(
        "experiments.cli",
        "experiments_vgg16",
        "the command is typed beside its run",
        "vgg16",
    ),
)
#: Test file -> what it holds that no module or room does.
WHOLE = {
    "coverage_rules": "this rule",
    "docs": "what documents tell the reader to type",
    "docs_contributors": "what they tell the contributor",
    "docs_networks": "the example of the page on networks",
    "golden": "the comparison with golden files",
    "import_rules": "the flow between rooms",
    "kills": "runs that are killed",
    "public_api": "names and signatures of both packages",
    "source_rules": "what no source may do",
}
TESTS = {path.stem.removeprefix("test_"): path for path in (ROOT / "tests").glob("test_*.py")}
MODULES = {name: path for name, path in NAMES.items() if not path.stem.startswith("__")}
WORDS = {name.replace(".", "_"): name for name in NAMES}


def subject(words):
    """The module or room that a test file is named by: the longest that fits, or None."""
    fitting = [each for each in WORDS if words == each or words.startswith(f"{each}_")]
    return WORDS[max(fitting, key=len)] if fitting else None


def untested(names, tests):
    """Modules without a test file of their own."""
    return set(names) - {subject(words) for words in tests}


@cache
def parts(path):
    """What a source imports, of ours and of the helpers of tests, and what commands it types."""
    tree, text = ast.parse(path.read_text()), path.read_text()
    helpers = {
        ROOT / Path(*name.split(".")).with_suffix(".py")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("tests.")
        for name in (node.module, *(f"{node.module}.{each.name}" for each in node.names))
    }
    strings = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.strip()
    }
    typed = {text.split()[0] for text in strings}
    return set(modules(text)), {each for each in helpers if each.is_file()}, typed


def reached(path):
    """Every module that a test file imports, by way of others and of helpers too, or types.

    `collide` imports the module of a command, and of a benchmark, when it is typed.
    """
    helpers, typed, todo = {path}, set(), [path]
    while todo:
        _, more, words = parts(todo.pop())
        typed |= words
        todo += more - helpers
        helpers |= more
    seen, todo = set(), [name for each in helpers for name in parts(each)[0]]
    while todo:
        if (name := todo.pop()) in seen or name not in NAMES:
            continue
        seen.add(name)
        todo += parts(ROOT / NAMES[name])[0]
        if name == "experiments.cli.main":
            todo += [f"experiments.cli.{word}" for word in typed]
        if name == "experiments.cli.bench":
            todo += [f"experiments.bench.{word}" for word in typed]
    return seen


def test_every_module_has_its_own_test_file_or_is_listed():
    listed = [name for entry in LISTED for name in entry.names()]
    assert len(listed) == len(set(listed)), "listed twice"
    without = untested(MODULES, TESTS)
    assert without - set(listed) == set(), "no test file of its own, and not listed"
    assert set(listed) - set(MODULES) == set(), "listed, and gone"
    assert set(listed) - without == set(), "listed, and has a test file of its own"


@pytest.mark.parametrize("entry", LISTED, ids=lambda e: f"{e.room} in {e.tested_in}")
def test_a_listed_module_is_reached_from_where_it_is_tested(entry):
    assert entry.tested_in in TESTS
    assert len(entry.reason.split()) >= 4
    assert set(entry.names()) - reached(TESTS[entry.tested_in]) == set()


def test_every_test_file_is_named_by_what_it_tests():
    assert {words for words in TESTS if subject(words) is None} == set(WHOLE)


def test_the_rule_sees_a_module_without_a_test():
    names = ["polytope.lp.linprog", "polytope.lp.proof", "polytope.network.region"]
    tests = ["polytope_lp_linprog_scales", "polytope_lp", "polytope_network_region_polytope"]
    assert untested(names, tests) == {"polytope.lp.proof", "polytope.network.region"}
    assert subject("polytope_lp") == "polytope.lp"
    assert subject("polytopes") is None
    assert name_of(FILES[0]) in NAMES
