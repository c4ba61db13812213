#!/usr/bin/env bash
# Checks gluon_neuron on an instance with NeuronCores (Inf2, Trn1, Trn2) and packs a report to send back.
#
#     bash examples/on_inf2.sh [DIRECTORY]      from a clone of the repository, on an AWS Neuron machine image
#
# Needs the Neuron driver and runtime (aws-neuronx-dkms, aws-neuronx-runtime-lib), neuronx-cc in the active environment
# or on PATH, one of Python 3.10 to 3.13, and a C++ compiler. It sets up .venv, compiles a few nets, runs them on the cores and
# on the CPU, and compares all with MXNet: no weights, inputs or names of yours are in the report.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
output=${1:-gluon_neuron-hardware-report}
if [ -e "$output" ] || [ -e "$output.tar.gz" ]; then
    echo "$output exists already: name another directory." >&2
    exit 1
fi
if ! command -v neuronx-cc >/dev/null; then
    echo "neuronx-cc is not on PATH: activate the environment that has it (source /opt/aws_neuronx_venv_*/bin/activate)." >&2
    exit 1
fi
make venv
.venv/bin/python -m pip install --quiet --editable '.[neuronx]'

status=0
.venv/bin/gluon-neuron check-hardware --output "$output" "${@:2}" || status=$?
if [ -d "$output" ]; then
    tar -czf "$output.tar.gz" "$output"
    echo "The report is $output/report.md; send back $output.tar.gz."
fi
exit "$status"
