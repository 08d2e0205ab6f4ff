"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CAST = "Who plays whom"
MODELS = "Models and limits"
Scenarios = Annotated[str, typer.Option("--scenarios", "-s", help="A pack's name, or a folder of cases.")]
CaseId = Annotated[str | None, typer.Option("--case", "-c", help="Only this case.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Same seed, same bytes.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON line a result, nothing else, on standard output.")]
RubricName = Annotated[str, typer.Option("--rubric", help="A rubric's name, or a YAML file.")]
PersonaName = Annotated[
    str, typer.Option("--persona", help="How the patient talks: plain, terse, talkative, unsure, impatient.")
]
PLAN = "The plan's fields"
Doctors = Annotated[
    list[str] | None, typer.Option("--doctor", "-d", help="A doctor; repeatable.", rich_help_panel=PLAN)
]
MaxCost = Annotated[float | None, typer.Option(min=0, help="US dollars for the whole run.", rich_help_panel=PLAN)]
Concurrency = Annotated[
    int | None, typer.Option("--concurrency", "-j", min=1, help="Episodes at once.", rich_help_panel=PLAN)
]
Engine = Annotated[str | None, typer.Option(help="local, processes or ray.", rich_help_panel=PLAN)]
Workers = Annotated[
    int | None,
    typer.Option(min=1, help="Processes of that engine; by default one a processor.", rich_help_panel=PLAN),
]
Retries = Annotated[
    int | None, typer.Option(min=0, help="Times a failed episode is tried again.", rich_help_panel=PLAN)
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="field=value, such as limits.turns=20; YAML; repeatable.", rich_help_panel=PLAN),
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")]
ReportLanguage = Annotated[str, typer.Option("--language", "-l", help="Of the report: en or zh.")]


def given(**fields: object) -> dict[str, object]:
    """The fields that were given: the others are the plan's."""
    return {name: value for name, value in fields.items() if value is not None and value != []}
