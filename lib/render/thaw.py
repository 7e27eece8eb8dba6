"""Quarto's second pre-render script: thaw each chapter whose results or `lib` code changed since it was frozen.

Quarto's `freeze: auto` looks at the chapter's text alone. This script compares a digest of everything else that a
chapter shows (the results bundle, the modules it imports and what they import) with the digest recorded in
`_freeze/inputs.json`, and deletes the frozen cells of those that differ, so that Quarto runs them again. Standard
library only: it must run with any Python, before the environment is known to be complete.
"""

import ast
import hashlib
import json
import os
import re
import shutil
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from lib.render.book import language_of  # noqa: E402
from lib.settings import bundle_folder, read_settings  # noqa: E402

STAMP = Path("_freeze") / "inputs.json"
CELL = re.compile(r"^```\{python\}[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def chapters(root: Path) -> list[Path]:
    """Every chapter and deck with Python cells, relative to `root`, in a fixed order."""
    paths = [*sorted(root.glob("index*.qmd")), *sorted((root / "chapters").rglob("*.qmd"))]
    return [p.relative_to(root) for p in paths if p.is_file() and CELL.search(p.read_text("utf-8"))]


def inputs_digest(root: Path, chapter: Path) -> str:
    """Digest of what a chapter depends on beside its own text: the chosen bundle and the `lib` code it imports."""
    text = (root / chapter).read_text("utf-8")
    cells = "\n".join(CELL.findall(text))
    files = _imported(root, _imports(cells))
    bundle = bundle_folder(root=root)
    digest = hashlib.sha256(bundle.parent.name.encode())
    results = [*bundle.glob("*.json"), *bundle.glob("*.parquet")]
    if any(f'study, "{name}"' in text for name in ("trust", "planted")):
        results += (root / "data" / "trust").glob("*.csv")
    if root / "lib" / "report" / "talk.py" in files:
        digest.update(json.dumps(read_settings(root)["group"], sort_keys=True).encode())
    words, code = root / "lib" / "report" / "words", language_of(chapter, root)
    if words / "templates.py" in files:
        results += (path for path in (root / "lib" / "report").glob("*.*") if path.suffix in (".css", ".json"))
        results += [
            path
            for folder in (words, root / "words")
            for path in (folder / code).rglob("*.*")
            if path.is_file() and path.suffix != ".po"  # what commands print is in no chapter
        ]
        digest.update(json.dumps(read_settings(root).get("hospital", {}), sort_keys=True).encode())
    for path in [*sorted(files), *sorted(results)]:
        content = path.read_bytes()
        # text files may have been checked out with Windows line endings
        content = content if path.suffix == ".parquet" else content.replace(b"\r\n", b"\n")
        digest.update(path.name.encode() + hashlib.sha256(content).digest())
    return digest.hexdigest()[:32]


def up_to_date(root: Path, chapter: Path) -> bool:
    """Whether what the chapter depends on is what it was when its cells were frozen."""
    return _recorded(root).get(chapter.with_suffix("").as_posix()) == inputs_digest(root, chapter)


def stale(root: Path) -> dict[str, str]:
    """Chapters whose recorded digest is not the present one, with the present one."""
    recorded = _recorded(root)
    now = {c.with_suffix("").as_posix(): inputs_digest(root, c) for c in chapters(root)}
    return {name: digest for name, digest in now.items() if recorded.get(name) != digest}


def thaw(root: Path) -> list[str]:
    """Delete the frozen cells of stale chapters, record their present digests, and return their names."""
    outdated = stale(root)
    if not outdated:
        return []
    for name in outdated:
        for freezer in (root / "_freeze", root / ".quarto" / "_freeze"):
            shutil.rmtree(freezer / name, ignore_errors=True)
    present = {c.with_suffix("").as_posix() for c in chapters(root)}
    kept = {name: digest for name, digest in (_recorded(root) | outdated).items() if name in present}
    stamp = root / STAMP
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(json.dumps(dict(sorted(kept.items())), indent=2) + "\n", "utf-8")
    return list(outdated)


def _recorded(root: Path) -> dict[str, str]:
    """The digests of the last rendering; none when the stamp is absent or is no JSON (a merge conflict)."""
    try:
        recorded = json.loads((root / STAMP).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return recorded if isinstance(recorded, dict) else {}


@cache  # chapters share most modules
def _imports(code: str) -> frozenset[str]:
    """Dotted names that `code` imports; both the module and each imported name, which may be a module."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def _imported(root: Path, names: frozenset[str]) -> set[Path]:
    """Files of `lib` reached from these dotted names, directly or through other files."""
    files: set[Path] = set()
    todo = set(names)
    while todo:
        parts = todo.pop().split(".")
        if parts[0] != "lib":
            continue
        places = [root.joinpath(*parts[:depth]) for depth in range(1, len(parts) + 1)]
        candidates = [p / "__init__.py" for p in places] + [places[-1].with_suffix(".py")]
        for path in candidates:
            if path.is_file() and path not in files:
                files.add(path)
                todo |= _imports(path.read_text("utf-8"))
    return files


if __name__ == "__main__":
    os.chdir(ROOT)
    for name in thaw(ROOT):
        print(f"{name}: its results or code changed, its cells run again", file=sys.stderr)
