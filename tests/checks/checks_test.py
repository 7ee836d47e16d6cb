"""Each check finds what it looks for, and nothing in a clean tree."""

import shutil
import tempfile
import unittest
from pathlib import Path

import formatting
import includes
import plain_words

CMAKE = """muster_library(base DEPS spdlog::spdlog)
muster_library(topology DEPS muster_base)
muster_library(cluster DEPS muster_topology)
muster_library(http DEPS muster_base PRIVATE OpenSSL::SSL)
muster_library(kube DEPS muster_base PRIVATE muster_http)
muster_library(books DEPS muster_cluster muster_kube)
muster_library(group DEPS muster_cluster)
muster_library(engine DEPS muster_books)
"""


class TreeTest(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)
        self.write("src/CMakeLists.txt", CMAKE)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def assert_found(self, check, *parts):
        found = check.findings(self.root)
        self.assertEqual(len(found), 1, found)
        for part in parts:
            self.assertIn(part, found[0])


class Includes(TreeTest):
    def test_a_clean_tree_has_no_findings(self):
        self.write("src/cluster/host.h", "#pragma once\n")
        self.write("src/cluster/host.cc", '#include "cluster/host.h"\n\n#include <vector>\n\n#include "base/error.h"\n')
        self.write("src/group/group.h", '#include "base/clock.h"\n')
        self.write("src/engine/engine.cc", '#include <thread>\n#include "cluster/host.h"\n#include "kube/api.h"\n')
        self.write("src/http/server.cc", "#include <httplib.h>\n")
        self.write("src/kube/decode.cc", '#include <nlohmann/json.hpp>\n#include "http/client.h"\n')
        self.assertEqual(includes.findings(self.root), [])

    def test_the_core_is_pure(self):
        for header in ("thread", "mutex", "chrono", "nlohmann/json.hpp", "yaml-cpp/yaml.h", "httplib.h", "random"):
            self.write("src/cluster/host.h", f"#pragma once\n#  include <{header}>\n")
            self.assert_found(includes, "src/cluster/host.h:2:", "the core does not include", header)

    def test_the_public_headers_are_core(self):
        self.write("include/muster/topology.h", "#include <mutex>\n")
        self.assert_found(includes, "include/muster/topology.h:1:", "mutex")

    def test_only_the_group_may_know_time(self):
        self.write("src/cluster/host.h", '#include "base/clock.h"\n')
        self.assert_found(includes, "base/clock.h")

    def test_libraries_stay_in_their_adapters(self):
        self.write("src/engine/engine.h", "#include <nlohmann/json.hpp>\n")
        self.assert_found(includes, "src/engine/engine.h:1:", "nlohmann/json.hpp is only for")

    def test_httplib_stays_in_one_file(self):
        self.write("src/http/tls.cc", "#include <httplib.h>\n")
        self.assert_found(includes, "src/http/tls.cc:1:", "httplib.h is only for src/http/server.cc")

    def test_arrows_point_one_way(self):
        self.write("src/topology/tree.h", '#include "cluster/host.h"\n')
        self.assert_found(includes, "topology does not depend on cluster")

    def test_a_private_dependency_is_not_handed_on(self):
        self.write("src/engine/engine.cc", '#include "http/client.h"\n')
        self.assert_found(includes, "engine does not depend on http")

    def test_the_own_header_comes_first(self):
        self.write("src/kube/api.h", "#pragma once\n")
        self.write("src/kube/api.cc", '#include <string>\n\n#include "kube/api.h"\n')
        self.assert_found(includes, "src/kube/api.cc:1:", "not first")


class PlainWords(TreeTest):
    def test_names_of_the_workplace_are_found(self):
        for word in plain_words.WORDS:
            self.write("docs/a.md", f"See {word} for more.\n")
            self.assert_found(plain_words, "docs/a.md:1:", word)

    def test_a_dead_link_is_found_and_a_living_one_is_not(self):
        self.write("docs/b.md", "text\n")
        self.write("docs/a.md", "[b](b.md#part) [web](https://example.com/x) [here](#below)\n[c](c.md)\n")
        self.assert_found(plain_words, "docs/a.md:2:", "c.md does not exist")


class Formatting(TreeTest):
    def test_an_unformatted_file_is_found(self):
        self.write("src/a.cc", "int  f( ) {return 1;}\n")
        self.write("src/b.cc", "int g();\n")
        self.assert_found(formatting, "src/a.cc:1:", "not formatted")


if __name__ == "__main__":
    unittest.main()
