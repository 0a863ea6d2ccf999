"""How a wheel differs from a clone: all lies under `implicit_smoothness`, and imports itself from there.

So nothing of ours is found where a user has an `experiments` or a `theory` of his own; `implicit_smoothness_names` says how
the short names still work where he has none. What a wheel holds is plain Python, line for line that of the clone.
"""

import ast
import shutil
from collections.abc import Collection
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PACKAGE = "implicit_smoothness"


def under_package(source: str, rooms: Collection[str]) -> str:
    """Return the source of a module with `from theory.x import y` as `from implicit_smoothness.theory.x import y`.

    Args:
        source: of the module.
        rooms: the folders that lie at the top in a clone.

    Raises:
        ValueError: for `import theory.x`, which binds the name `theory`.
    """
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import) and any(alias.name.split(".")[0] in rooms for alias in node.names):
            raise ValueError(f"line {node.lineno}: write `from x import y` in place of `{ast.unparse(node)}`")
        if isinstance(node, ast.ImportFrom) and node.level == 0 and str(node.module).split(".")[0] in rooms:
            before, line = lines[node.lineno - 1][: node.col_offset], lines[node.lineno - 1][node.col_offset :]
            if not line.startswith(f"from {node.module} "):
                raise ValueError(f"line {node.lineno}: begin with `from {node.module} import`, got {line.strip()!r}")
            lines[node.lineno - 1] = before + line.replace("from ", f"from {PACKAGE}.", 1)
    return "".join(lines)


class Build(build_py):
    """Copies modules and data as ever, then moves the folders; an editable installation leaves them where they are."""

    def run(self) -> None:
        """Build what goes into a wheel."""
        if self.editable_mode:
            super().run()
            return
        top = Path(self.build_lib)
        shutil.rmtree(top, ignore_errors=True)  # what an earlier build left there would be installed, too
        super().run()
        rooms = {package.split(".")[0] for package in self.packages} - {PACKAGE}
        for room in rooms:
            shutil.move(top / room, top / PACKAGE / room)
        for file in (top / PACKAGE).rglob("*.py"):
            file.write_text(under_package(file.read_text(encoding="utf-8"), rooms), encoding="utf-8")
        (top / "implicit_smoothness_names.pth").write_text("import implicit_smoothness_names\n", encoding="utf-8")


if __name__ == "__main__":
    setup(cmdclass={"build_py": Build})
