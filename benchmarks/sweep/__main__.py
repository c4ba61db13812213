"""`python -m benchmarks.sweep`: every model of the zoos, compiled and compared with MXNet, for docs/models.md."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .names import PACKAGES, Case, names_of, select
from .process import Worker


def main() -> int:
    """Walk what was asked for, print the table; returns 1 when a model disagrees or fails outside MXNet."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep", description=__doc__)
    parser.add_argument("--package", choices=PACKAGES, action="append", help="may be repeated; all if not given")
    parser.add_argument("--names", help="a pattern, as for files: 'resnet*'")
    parser.add_argument("--sample", type=int, help="so many models, always the same")
    parser.add_argument("--json", type=Path, help="records, a line each; those in the file are not walked again")
    parser.add_argument("--markdown", type=Path, help="write the table")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--timeout", type=float, default=300, help="seconds for one model")
    parser.add_argument("--memory", type=int, default=16_000, help="the most that the process of a model takes, in MiB")
    parser.add_argument(
        "--update", action="store_true", help="change only what the page says about the models walked now"
    )
    parser.add_argument("--table-only", action="store_true", help="of the records in the file")
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(given.threads)

    from . import page
    from .table import good, table

    records = read(given.json)
    cases = select(given.package or PACKAGES, given.names, given.sample)
    if not given.table_only:
        done = {(r["package"], r["name"]) for r in records}
        with Worker(given.timeout, given.memory) as worker:
            records += walk_all(worker, [c for c in cases if c not in done], given.json)
    wanted = set(cases)
    records = [r for r in records if (r["package"], r["name"]) in wanted]
    shown = records
    if given.update and given.markdown:
        kept = {(r["package"], r["name"]): r for r in page.records(given.markdown.read_text())}
        shown = in_this_order({**kept, **{(r["package"], r["name"]): r for r in records}})
    text = table(shown, {p: len(names_of(p)) for p in {r["package"] for r in shown}})
    print(text)
    if given.markdown:
        given.markdown.write_text(text + "\n")
    return 0 if all(map(good, records)) else 1


def in_this_order(records: Mapping[Case, dict[str, Any]]) -> list[dict[str, Any]]:
    """The records in the order of a whole walk."""
    return [records[case] for case in select(PACKAGES) if case in records]


def read(path: Path | None) -> list[dict[str, Any]]:
    """The records of a file of JSON lines; the last counts where a model has several."""
    if path is None or not path.exists():
        return []
    found = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    return list({(r["package"], r["name"]): r for r in found}.values())


def walk_all(worker: Worker, cases: Iterable[Case], path: Path | None) -> list[dict[str, Any]]:
    """Walk the models, saying on the error stream what is found, and append each record to the file."""
    records = []
    for package, name in cases:
        record = worker.walk(package, name)
        records.append(record)
        print(_line(record), file=sys.stderr, flush=True)
        if path is not None:
            with path.open("a") as file:
                file.write(json.dumps(record) + "\n")
    return records


def _line(record: dict[str, Any]) -> str:
    head = f"{record['package']}/{record['name']}: {record['total']} s, "
    if record["stage"] != "done":
        return head + f"{record['stage']}: {record['error']}"
    verdict = "agrees" if record["agrees"] else "DISAGREES"
    return head + (
        f"{record['compiled']} of {record['operators']} operators, {record['regions']} regions, {verdict} "
        f"({record.get('difference', 0):.0e})"
    )


if __name__ == "__main__":
    sys.exit(main())
