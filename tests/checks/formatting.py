"""C++ files are as clang-format leaves them."""

import shutil
import subprocess

import tree

PROGRAM = "clang-format-19"


def findings(root):
    if not shutil.which(PROGRAM):
        return [f"{PROGRAM} is not installed (make test installs it)"]
    names = tree.files(root, ".h", ".cc")
    if not names:
        return []
    run = subprocess.run([PROGRAM, "--dry-run", "-Werror", *names], cwd=root, capture_output=True, text=True)
    places = {line.rsplit(": error: ", 1)[0] for line in run.stderr.splitlines() if ": error: " in line}
    by_file = {}
    for place in places:
        name, line, _ = place.rsplit(":", 2)
        by_file[name] = min(int(line), by_file.get(name, 1 << 30))
    found = [f"{name}:{line}: not formatted (make format)" for name, line in sorted(by_file.items())]
    if run.returncode != 0 and not found:
        found.append(run.stderr.strip())
    return found
