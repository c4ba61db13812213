"""A process that walks the models it is told of on its standard input, one line each; answers are lines of JSON."""

from __future__ import annotations

import json
import os
import resource
import sys
import warnings


def main() -> None:
    """Read `package name` until the input ends; the argument is the most memory, in MiB, that the process may take."""
    # What libraries print goes to the error stream: the output is for answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    limit = int(sys.argv[1]) * 2**20
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    # Nothing is to be downloaded; a model that tries to fails at once.
    os.environ["MXNET_GLUON_REPO"] = "http://127.0.0.1:9/"
    os.environ["MXNET_SUBGRAPH_VERBOSE"] = "0"
    warnings.simplefilter("ignore")

    from .one import walk

    for line in sys.stdin:
        package, name = line.split()
        print(json.dumps(walk(package, name)), file=answers, flush=True)


if __name__ == "__main__":
    main()
