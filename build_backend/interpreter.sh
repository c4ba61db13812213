#!/bin/sh
# Makes a virtual environment, or checks that the one that is there is of the Python that is asked for; says which Python it has.
#
#     interpreter.sh FOLDER [PYTHON...]     without a PYTHON, a new environment is made by the first that is found
#     interpreter.sh --version PYTHON       only says which Python that is: 3.13
set -eu
folder=$1
shift

version() {
    "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null
}

refuse() {
    echo "$1" >&2
    exit 1
}

# The first of the named interpreters that can make an environment. It is tried by running it: a name on the PATH may be a shim of
# pyenv with nothing behind it, and pyenv may have that Python all the same.
usable() {
    for name in "$@"; do
        for python in "$name" "$(pyenv root 2>/dev/null || true)"/versions/"${name#python}".*/bin/"$name"; do
            if "$python" -c 'import sys, ensurepip, venv; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null; then
                echo "$python"
                return
            fi
        done
    done
    return 1
}

asked=$*
none_of_these="gluon_neuron needs Python 3.10 to 3.13 with its venv module, and $asked is none of these"
if [ "$folder" = --version ]; then
    python=$(usable "$@") || refuse "$none_of_these."
    version "$python" | sed 's/\.[0-9]*$//'
    exit
fi
[ $# -gt 0 ] || set -- python3.11 python3.13 python3.12 python3.10 python3 python
if [ -x "$folder/bin/python" ]; then
    has=$(version "$folder/bin/python") || refuse "$folder is of a Python that does not run any more: remove it (rm -r $folder)."
    usable "$folder/bin/python" >/dev/null || refuse "$folder is of Python $has, and gluon_neuron needs 3.10 to 3.13: remove it (rm -r $folder)."
    if [ -n "$asked" ]; then
        python=$(usable "$@") || refuse "$none_of_these."
        wanted=$(version "$python")
        [ "${has%.*}" = "${wanted%.*}" ] || refuse "$folder is of Python $has, and PYTHON=$asked is Python $wanted: remove it (rm -r $folder), or name another folder (VENV=.venv-${wanted%.*})."
    fi
elif [ -L "$folder/bin/python" ]; then
    refuse "$folder is of a Python that is gone: remove it (rm -r $folder)."
else
    python=$(usable "$@") || refuse "gluon_neuron needs Python 3.10 to 3.13 with its venv module, and none of these is: $*; install one, or name it with PYTHON=..."
    echo "$python -m venv $folder"
    "$python" -m venv "$folder"
    has=$(version "$folder/bin/python")
fi
echo "Python $has in $folder"
