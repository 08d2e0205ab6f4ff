"""What a user's own module or file holds, by its name: `module:attribute` or `file.py:attribute`."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

from clinic_sim.errors import ConfigError


def load_attribute(target: str, provider: str) -> Any:
    """What `module:attribute` or `file.py:attribute` names; modules are looked for in the working directory too.

    Raises:
        ConfigError: there is no such thing.
    """
    module, _, attribute = target.rpartition(":")
    if not module or not attribute:
        raise ConfigError(f"{provider}/{target}: wants `module:attribute` or `file.py:attribute`")
    try:
        found: Any = _from_file(Path(module)) if module.endswith(".py") else _from_module(module)
    except Exception as exc:
        raise ConfigError(f"{provider}/{target}: {module} cannot be imported: {type(exc).__name__}: {exc}") from exc
    for name in attribute.split("."):
        if not hasattr(found, name):
            raise ConfigError(f"{provider}/{target}: {module} has no {attribute!r}")
        found = getattr(found, name)
    return found


def _from_module(name: str) -> Any:
    here = str(Path.cwd())
    known = here in sys.path or "" in sys.path
    if not known:
        sys.path.append(here)
    try:
        return importlib.import_module(name)
    finally:
        if not known:
            sys.path.remove(here)


def _from_file(path: Path) -> Any:
    path = path.resolve()
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    name = f"clinic_sim_file_{path.stem}"
    known = sys.modules.get(name)
    if known is not None and known.__file__ == str(path):
        return known
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # as an import does: dataclasses and pickles look their module up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
