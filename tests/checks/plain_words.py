"""The project speaks of itself: nothing in it names the machine or the workplace it was written at, or the package
hosts that a machine is set up for anyway. Links in its pages lead somewhere."""

import re
from pathlib import Path

import tree

# In pieces, so that this file does not find itself.
WORDS = [
    "/" + "work/", "." + "./shared", "shared/" + "design", "kube-" + "contract.md", "cpp-" + "craft",
    "topology-" + "placement.md", "." + "library/", "issues " + "show",
    "deb." + "debian.org", "py" + "pi.org", "python" + "hosted.org", "registry." + "npmjs", "static." + "crates.io",
    "proxy." + "golang.org", "sum." + "golang.org", "repo1." + "maven",
]
SKIPPED = ("tests/e2e/go.sum", "tests/e2e/go.mod")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def findings(root):
    found = []
    for name in tree.files(root):
        if name in SKIPPED:
            continue
        for number, line in tree.lines(root, name):
            found += [f"{name}:{number}: speaks of {word}" for word in WORDS if word in line]
            if name.endswith(".md"):
                found += [f"{name}:{number}: {target} does not exist" for target in dead_links(root, name, line)]
    return found


def dead_links(root, name, line):
    for target in LINK.findall(line):
        path = target.split("#")[0]
        if not path or re.match(r"[a-z]+:", path):
            continue
        if not ((Path(root) / name).parent / path).exists():
            yield target
