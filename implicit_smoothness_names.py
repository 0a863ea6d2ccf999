"""One module under two names: the four folders have short names in a clone, and long ones where a wheel is installed.

In a clone the source lies in `theory`, `numerics`, `experiments` and `proofs_check`. A wheel holds the same under
`implicit_smoothness`, for a user may have an `experiments` of his own. What is here makes the other names lead to the same
modules: in a clone `implicit_smoothness.theory` is `theory`; beside an installed wheel `theory` is
`implicit_smoothness.theory`, unless Python finds another `theory`, be it a folder without an `__init__`.

A wheel has every Python import this file as it starts (`implicit_smoothness_names.pth`): it loads next to nothing, not
even `typing`.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType
    from typing import Any

ROOMS = ("theory", "numerics", "experiments", "proofs_check")
PACKAGE = "implicit_smoothness."
INSTALLED = os.path.isdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "implicit_smoothness", "theory"))


class Names:
    """What Python asks first for a module; also what loads it, by importing the module that it is another name of.

    Attributes:
        other: what the other names begin with.
        real: what the names begin with under which the modules lie.
    """

    def __init__(self, other: str, real: str) -> None:
        self.other, self.real = other, real

    def real_name(self, name: str) -> str:
        """Return the name under which a module lies; nothing if this is not another name of ours."""
        rest = name.removeprefix(self.other)
        return self.real + rest if name.startswith(self.other) and rest.split(".")[0] in ROOMS else ""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        """Return what loads a module, if `name` is another name of one of ours; the module itself is then imported.

        Raises:
            ModuleNotFoundError: if it lacks what it imports.
        """
        real = self.real_name(name)
        if not real or self.taken(name, path, target):
            return None
        try:
            module = import_module(real)
        except ModuleNotFoundError as error:
            if error.name == real:
                return None
            raise
        loader: Any = self
        spec = ModuleSpec(name, loader, origin=module.__file__, is_package=hasattr(module, "__path__"))
        spec.has_location = True
        spec.loader_state = module.__spec__
        return spec

    def taken(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> bool:
        """Return whether a name belongs to someone else: a folder or file of the user, and all that is below it."""
        parent = name.rpartition(".")[0]
        if self.real_name(parent):
            return sys.modules.get(parent) is not sys.modules.get(self.real_name(parent))
        others = [finder for finder in sys.meta_path if finder is not self]
        return any(finder.find_spec(name, path, target) is not None for finder in others)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module itself."""
        return sys.modules[self.real_name(spec.name)]

    def exec_module(self, module: ModuleType) -> None:
        """Undo what the import has just done to the module: it keeps the spec that it was loaded by."""
        if module.__spec__ is not None:
            module.__spec__ = module.__spec__.loader_state

    def get_code(self, name: str) -> CodeType | None:
        """Return the code of a module, which `python -m` runs."""
        loader: Any = sys.modules[self.real_name(name)].__loader__
        code: CodeType | None = loader.get_code(self.real_name(name))
        return code


if not any(type(finder).__module__ == __name__ for finder in sys.meta_path):
    sys.meta_path.insert(0, Names("", PACKAGE) if INSTALLED else Names(PACKAGE, ""))
