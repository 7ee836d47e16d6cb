"""The project's files, as the checks see them."""

import os
import re
import subprocess
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def files(root, *suffixes):
    """Paths relative to root, sorted: what git tracks or would track; without git, everything but build folders."""
    root = Path(root)
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root, capture_output=True)
    if listing.returncode == 0 and (root / ".git").exists():
        names = {name for name in listing.stdout.decode().split("\0") if name}
    else:
        names = set(_walk(root))
    chosen = (name for name in names if not suffixes or name.endswith(suffixes))
    return sorted(name for name in chosen if (root / name).is_file())


def _walk(root):
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in (".git", "build", ".cache", "__pycache__")]
        for name in names:
            yield (Path(folder) / name).relative_to(root).as_posix()


def lines(root, name):
    """Numbered lines; a file that is no text has none."""
    try:
        text = (Path(root) / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return []
    return list(enumerate(text.splitlines(), 1))


def includes(root, name):
    """(line number, opening bracket, included path) for each include directive."""
    found = ((number, INCLUDE.match(line)) for number, line in lines(root, name))
    return [(number, match[1], match[2]) for number, match in found if match]
