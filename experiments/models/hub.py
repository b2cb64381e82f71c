"""Which folder of Hugging Face's hub is meant?  `hf:OWNER/NAME`, fetched by the hub's own client.

Only files of safetensors and their index are fetched, into the client's own cache; no code of a
repository, and no pickle.
"""

import re
from pathlib import Path

from polytope.errors import DownloadError, InputError

PREFIX = "hf:"
_WORD = re.compile(r"hf:([\w.\-]+/[\w.\-]+)(?:@([\w.\-/]+))?", re.ASCII)
_WANTED = ["*.safetensors", "*.safetensors.index.json"]


def fetched(word: str) -> Path:
    """Returns the local folder of a repository.

    Args:
        word: hf:OWNER/NAME, or hf:OWNER/NAME@REVISION for one state of it.

    Raises:
        InputError: it is no such word, or the package huggingface_hub is not installed.
        DownloadError: the client could not fetch it.
    """
    found = _WORD.fullmatch(word)
    if found is None:
        raise InputError(f"weights: expected hf:OWNER/NAME or hf:OWNER/NAME@REVISION, got {word!r}")
    try:
        import huggingface_hub
    except ImportError as problem:
        raise InputError(
            f"weights: expected the package huggingface_hub, which fetches {word}, installed; "
            "install the extra `hub`: pip install 'collision-polytopes[hub]'"
        ) from problem
    try:
        folder = huggingface_hub.snapshot_download(
            found[1], revision=found[2], allow_patterns=_WANTED
        )
    except Exception as problem:  # its own kinds of errors, and those of its transport
        reason = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise DownloadError(
            f"{word}: expected a folder of the hub, got: {reason:.200}"
        ) from problem
    return Path(folder)
