"""Who may include what: the core is pure, libraries stay where their adapters are, arrows between folders point one
way (DEPS in src/CMakeLists.txt), and x.cc includes x.h first, so that each header is compiled alone."""

import re
from fnmatch import fnmatch
from pathlib import Path

import tree

CORE = ("include/muster/", "src/topology/", "src/cluster/", "src/placement/", "src/group/")

# No input or output, clock, thread, randomness or text formats.
FORBIDDEN_IN_CORE = (
    "nlohmann/*", "simdjson.h", "httplib.h", "yaml-cpp/*", "spdlog/*", "openssl/*", "prometheus/*",
    "thread", "mutex", "shared_mutex", "condition_variable", "future", "atomic", "stop_token", "semaphore", "latch",
    "barrier", "pthread.h", "chrono", "ctime", "time.h", "sys/time.h", "random", "fstream", "iostream", "cstdio",
    "stdio.h", "filesystem", "unistd.h", "base/log.h", "base/clock.h", "base/backoff.h",
)
# Time is an argument of the life cycle, whose deadlines are part of its state.
EXCEPTIONS_IN_CORE = {"src/group/": ("base/clock.h", "base/backoff.h")}

# Where the headers of a library may be included, below src/ and include/.
LIBRARIES = {
    "httplib.h": ("src/http/server.cc",),
    "nlohmann/*": ("src/kube/*.cc", "src/extender/*.cc", "src/books/*.cc", "src/embedded/*", "src/offline/*.cc",
                   "src/cmd/*"),
    "simdjson.h": ("src/kube/*",),
    "yaml-cpp/*": ("src/config/*", "src/kube/yaml*.cc", "src/yaml/*"),
    "boost/*": ("src/placement/*.cc", "src/topology/*.cc"),
    "openssl/*": ("src/http/*", "src/kube/*.cc"),
    "spdlog/*": ("src/base/log.cc",),
    "prometheus/*": ("src/observe/*",),
    "CLI/*": ("src/cmd/*",),
    "catch2/*": (),
}


def findings(root):
    allowed = arrows((Path(root) / "src/CMakeLists.txt").read_text())
    found = []
    for name in tree.files(root, ".h", ".cc"):
        if not name.startswith(("src/", "include/")):
            continue
        included = tree.includes(root, name)
        for number, _, path in included:
            for complaint in complaints(name, path, allowed):
                found.append(f"{name}:{number}: {complaint}")
        found += own_header_first(root, name, included)
    return found


def complaints(name, path, allowed):
    core = next((folder for folder in CORE if name.startswith(folder)), None)
    excepted = path in EXCEPTIONS_IN_CORE.get(core, ())
    if core and not excepted and any(fnmatch(path, pattern) for pattern in FORBIDDEN_IN_CORE):
        yield f"the core does not include {path}"
        return
    for library, places in LIBRARIES.items():
        if fnmatch(path, library) and not any(fnmatch(name, place) for place in places):
            yield f"{path} is only for {', '.join(places) or 'tests'}"
    yield from against_an_arrow(name, path, allowed)


def against_an_arrow(name, path, allowed):
    """A folder includes its own headers and those of the folders it depends on."""
    here = folder_of(name)
    there = "topology" if path.startswith("muster/") else path.split("/")[0]
    if here is None or here == "cmd" or there == here or there not in allowed:
        return
    if there not in allowed.get(here, ()):
        yield f"{here} does not depend on {there} (src/CMakeLists.txt), so it does not include {path}"


def folder_of(name):
    parts = name.split("/")
    return parts[1] if parts[0] == "src" and len(parts) > 2 else None


def own_header_first(root, name, included):
    header = re.sub(r"\.cc$", ".h", name)
    if header == name or not (Path(root) / header).is_file():
        return []
    wanted = header.split("/", 1)[1]
    if included and included[0][2] == wanted:
        return []
    return [f"{name}:1: includes {wanted} not first, so nothing shows that it compiles alone"]


def arrows(cmake):
    """Folder → the folders whose headers it may include: what it depends on, and what that hands on."""
    public, private = {}, {}
    for folder, text in re.findall(r"^muster_library\((\w+)\s*([^)]*)\)", cmake, re.MULTILINE):
        handed_on, _, own = text.partition("PRIVATE")
        public[folder] = re.findall(r"muster_(\w+)", handed_on)
        private[folder] = re.findall(r"muster_(\w+)", own)

    def reach(folder, seen):
        for other in public.get(folder, ()):
            if other not in seen:
                seen.add(other)
                reach(other, seen)
        return seen

    closure = {}
    for folder in public:
        closure[folder] = reach(folder, set())
        for other in private[folder]:
            closure[folder] |= {other} | reach(other, set())
    return closure
