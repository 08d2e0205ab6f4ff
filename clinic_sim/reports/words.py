"""`Words`: what the report says, in English or Chinese. Every sentence stands in `data/report_words.tsv`, in both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

from clinic_sim.errors import ConfigError

Language = Literal["en", "zh"]
_FILE = "report_words.tsv"


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language."""

    language: Language

    @classmethod
    def of(cls, language: str) -> Words:
        """The words of a language by its code.

        Raises:
            ConfigError: the report does not speak it.
        """
        for known in get_args(Language):
            if language == known:
                return cls(known)
        raise ConfigError(f"--language {language!r}: reports are written in {', '.join(get_args(Language))}")

    def __call__(self, key: str, /, **values: Any) -> str:
        """The words of a key, with values filled in; a missing key is a mistake of ours."""
        text = _lexicon()[key][_COLUMN[self.language]]
        return text.format(**values) if values else text

    def has(self, key: str) -> bool:
        """Whether there are words of a key."""
        return key in _lexicon()

    def value(self, raw: str) -> str:
        """One of our own words where it is known; else as it stands: names of others have no translation.

        Composite words (`doctor:case`, `judge_failed:quote`) are translated part by part.
        """
        if self.has(f"value.{raw}"):
            return self(f"value.{raw}")
        if ":" in raw and " " not in raw:
            parts = raw.split(":")
            if self.has(f"value.{parts[0]}"):
                return self("join.parts").join(self.value(part) for part in parts)
        return raw


_COLUMN = {"en": 0, "zh": 1}


@cache
def _lexicon() -> dict[str, tuple[str, str]]:
    text = resources.files("clinic_sim.reports").joinpath("data", _FILE).read_text("utf-8")
    found: dict[str, tuple[str, str]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            key, english, chinese = line.split("\t")
            found[key] = english, chinese
    return found
