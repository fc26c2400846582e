"""What each command of ``python -m socl_plugins.studies`` does."""

from __future__ import annotations

import argparse
from pathlib import Path

from ltr.admin.environment import load_environment
from ltr.admin.jobs import usable_cores
from ltr.registry import near_names
from socl_plugins.studies.catalogue import STUDIES
from socl_plugins.studies.study import Study, StudyError


def list_studies(options: argparse.Namespace) -> int:
    """Prints the studies and their rows."""
    for study in STUDIES.values():
        print(f"{study.name:20}  {study.title}")
        for row in study.rows:
            print(f"{'':22}{row.title:46}  {row.recipe or row.network or row.tracker}")
    return 0


def run(options: argparse.Namespace) -> int:
    """Runs what is missing of some studies; returns 1 if a cell failed."""
    from socl_plugins.studies.measure import HELD_OUT, training_set, videos_of_test
    from socl_plugins.studies.run import RunOptions, run_cells

    overrides = dict(options.overrides)
    studies = chosen(options.studies)
    named = rows_named(studies, options.rows)
    cells = [
        study.cell(row, seed, overrides)
        for seed in options.seeds  # outermost over all studies: what is cut short is fair
        for study in studies
        for row in study.rows
        if row.title in named
    ]
    tests = options.tests or [HELD_OUT, *(["otb"] if load_environment().otb_dir else [])]
    for name in tests:
        videos_of_test(name)  # what is not there is said before anything is trained
    jobs = usable_cores() if options.jobs == -1 else options.jobs
    asked = RunOptions(
        options.out, tests, jobs, options.device, options.keep, options.plugin, training_set(), options.precision
    )
    report = run_cells(cells, asked)
    print(f"{report.done} cells run, {report.present} were there, {len(report.failed)} failed")
    return 1 if report.failed else 0


def report(options: argparse.Namespace) -> int:
    """Prints the tables of some studies, or puts them with their plots into a Markdown file."""
    from socl_plugins.studies.report import collect, marked, put_between_marks, study_plot, study_table, write_csv

    studies = chosen(options.studies)
    rows = {
        study.name: collect(study, options.out, options.seeds, dict(options.overrides), options.tests)
        for study in studies
    }
    if options.into is not None:
        for study in studies:  # before anything is written
            marked(options.into, study)
    for study in studies:
        table = study_table(study, rows[study.name])
        if options.note:
            table += f"\n{options.note}\n"
        if options.csv is not None:
            write_csv(study, rows[study.name], options.csv / f"{study.name}.csv")
            study_plot(study, rows[study.name], options.csv / f"{study.name}.png")
            print(options.csv / f"{study.name}.csv")
            if options.into is None:
                continue
        if options.into is None:
            print(f"{study.title}\n\n{table}")
            continue
        plot: Path = options.into.parent / f"{study.name}.png"
        study_plot(study, rows[study.name], plot)
        table += f"\n![{study.title}]({plot.name})\n"
        put_between_marks(options.into, study, table)
        print(f"{options.into}: {study.name}")
    return 0


def cell(options: argparse.Namespace) -> int:
    """Runs one cell."""
    from socl_plugins.studies.run import run_one

    return run_one(options.description)


def chosen(names: list[str]) -> list[Study]:
    """Returns the studies of these names. Raises StudyError for one that is not known."""
    for name in names:
        if name not in STUDIES:
            hint = near_names(name, list(STUDIES))
            raise StudyError(f"there is no study {name!r}.{hint} `python -m socl_plugins.studies list` shows all.")
    return [STUDIES[name] for name in dict.fromkeys(names)]


def rows_named(studies: list[Study], titles: list[str] | None) -> set[str]:
    """Returns these titles, or those of all rows. Raises StudyError for a title that no study has."""
    known = list(dict.fromkeys(row.title for study in studies for row in study.rows))
    for title in titles or ():
        if title not in known:
            raise StudyError(f"there is no row {title!r}.{near_names(title, known)}")
    return set(titles or known)
