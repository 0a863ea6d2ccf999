"""What is not installed, said with the command that installs it."""

from collections.abc import Sequence
from importlib.util import find_spec


class MissingExtraError(ModuleNotFoundError):
    """A folder of this library whose extra is not installed, in one sentence that ends in the command to install it."""


def need(folder: str, extra: str, modules: Sequence[str]) -> None:
    """Check that what a folder imports is installed, without importing it.

    Args:
        folder: the folder, in whose `__init__` this stands.
        extra: of pyproject.toml, that brings it all.
        modules: the modules that are imported, by their first name.

    Raises:
        MissingExtraError: if one is not there.
    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        are = "are" if missing[1:] else "is"
        raise MissingExtraError(
            f"{folder} needs {', '.join(missing)}, which {are} not installed: pip install 'implicit-smoothness[{extra}]'",
            name=folder,
        )
