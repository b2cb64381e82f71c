#!/usr/bin/env bash
# Sets up the virtual environment that the Makefile uses: bash tools/install.sh FOLDER
#
# Needed: Python 3.11 or later. Everything required comes as wheels, in the releases of constraints.txt, with which the
# tests passed. Installed: the package with the extra `dev` and, where they install, the optional ones: the extra `cdd`
# (from source, needs headers; a second opinion in tests), the extra `peers` (wheels of the exact enumerators Normaliz and
# lrs, to compare with), the extra `digits` (scikit-learn, for the images of `collide small`), the extra `onnx` (networks
# in ONNX files), the extra `onnxtest` (what tests compare them with), the extra `keras` (h5py, for networks in files of
# Keras), the extra `hub` (the client of Hugging Face's hub, for weights from there) and the program esolver (Debian package qsopt-ex; `collide bench lp` compares with it). Where an optional part is missing, a sentence says so and the installation goes on.
#
# CONSTRAINTS=FILE takes other releases, CONSTRAINTS= the newest that pyproject.toml allows; EXTRAS="peers onnx" asks for
# these extras alone, EXTRAS= for none.
set -euo pipefail

venv=${1:?usage: tools/install.sh FOLDER}
constraints=${CONSTRAINTS-constraints.txt}
extras=${EXTRAS-cdd peers digits onnx onnxtest keras hub}
export DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

say() { echo "setup: $*" >&2; }

find_python() {
    local name
    for name in python3 python3.13 python3.12 python3.11 python; do
        if command -v "$name" >/dev/null &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$name"
            return
        fi
    done
    say "Python 3.11 or later is needed and was not found; install python3 and python3-venv, then run make again."
    exit 1
}

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

updated=no
install_packages() { # true when every named package got installed
    can_install || return 1
    if [ "$updated" = no ]; then
        apt-get update -qq </dev/null >&2 || true
        updated=yes
    fi
    apt-get install -y -qq --no-install-recommends "$@" </dev/null >&2
}

has_headers() { # a C compiler that finds Python's, cddlib's and GMP's headers
    command -v cc >/dev/null &&
        printf '#include <Python.h>\n#include <cddlib/setoper.h>\n' |
        cc -DGMPRATIONAL -I"$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("include"))')" \
            -E - >/dev/null 2>&1
}

python=$(find_python)
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 && ! install_packages python3-venv; then
        say "this Python cannot make virtual environments; install the package python3-venv, then run make again."
        exit 1
    fi
    say "making $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv"
fi
install=("$venv/bin/python" -m pip install ${constraints:+--constraint "$constraints"})
log=$venv/optional.log
: >"$log"
wanted() { [[ " $extras " == *" $1 "* ]]; }
optional() { # an extra; what goes wrong is kept in the log, one sentence follows on the terminal
    "${install[@]}" --quiet --editable ".[$1]" >>"$log" 2>&1
}

say "installing the package and its tools (about 1 GB with the CPU build of PyTorch, several GB with the default CUDA build; some minutes)"
if ! "${install[@]}" --editable '.[dev]'; then
    say "that failed.${constraints:+ If a release of $constraints does not exist for this machine, CONSTRAINTS= make setup takes the newest ones.}"
    exit 1
fi

if wanted cdd && ! has_headers; then
    headers=(gcc libc6-dev libcdd-dev libgmp-dev)
    case $(readlink -f "$venv/bin/python") in /usr/bin/*) headers+=(python3-dev) ;; esac
    install_packages "${headers[@]}" || true
fi
if wanted cdd && { ! has_headers || ! optional cdd; }; then
    say "the optional pycddlib is left out, the tests that ask it for a second opinion will be skipped; to have it: apt-get install gcc python3-dev libcdd-dev libgmp-dev, then make clean setup (details: $log)."
fi

if wanted peers && ! optional peers; then
    say "the optional Normaliz and lrs are left out, tests and \`collide bench enumeration\` will name them as missing; to have them: $venv/bin/pip install '.[peers]' (details: $log)."
fi

if wanted digits && ! optional digits; then
    say "the optional scikit-learn is left out, \`collide small\` then needs --set moons; to have it: $venv/bin/pip install '.[digits]' (details: $log)."
fi

if wanted onnx && ! optional onnx; then
    say "the optional onnx is left out, networks in ONNX files cannot be read; to have it: $venv/bin/pip install '.[onnx]' (details: $log)."
elif wanted onnxtest && ! optional onnxtest; then
    say "the optional onnxruntime and onnxscript are left out, the tests that compare with them will be skipped; to have them: $venv/bin/pip install '.[onnxtest]' (details: $log)."
fi

if wanted keras && ! optional keras; then
    say "the optional h5py is left out, networks in files of Keras cannot be read; to have it: $venv/bin/pip install '.[keras]' (details: $log)."
fi

if wanted hub && ! optional hub; then
    say "the optional huggingface_hub is left out, --weights hf:OWNER/NAME will name it as missing; to have it: $venv/bin/pip install '.[hub]' (details: $log)."
fi

if [ -n "$extras" ] && ! command -v esolver >/dev/null && ! install_packages qsopt-ex; then
    say "the optional program esolver (Debian package qsopt-ex) is left out; \`collide bench lp\` will name it as missing."
fi

touch "$venv/.installed"
say "done"
