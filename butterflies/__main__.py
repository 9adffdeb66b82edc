"""`butterflies JOB key=value ...`: every job by one command line."""

import ast
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

JOBS = (
    *("collect", "annotate", "train", "runs", "cutout", "embed", "render", "serve"),
    *("export", "demo"),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the job that the first word names; alone, it lists the jobs."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help"):
        print(listing())
    elif words[0] not in JOBS:
        print(f"butterflies: there is no job {words[0]!r}.\n\n{listing()}", file=sys.stderr)
        sys.exit(2)
    elif set(words[1:]) & {"-h", "--help"}:
        print(manual(words[0]))
    else:
        import_module(f"butterflies.jobs.{words[0]}").main(words[1:])


def listing() -> str:
    """The jobs, a line each; read from their files, since importing them takes seconds."""
    width = max(map(len, JOBS))
    lines = [f"  {job:{width}}  {manual(job).splitlines()[0]}" for job in JOBS]
    usage = "usage: butterflies JOB key=value ...      (butterflies JOB --help tells more)"
    return "\n".join([usage, "", *lines])


def manual(job: str) -> str:
    """A job's manual: the docstring of its file."""
    text = (Path(__file__).parent / "jobs" / f"{job}.py").read_text(encoding="utf-8")
    return ast.get_docstring(ast.parse(text)) or ""


if __name__ == "__main__":
    main()
