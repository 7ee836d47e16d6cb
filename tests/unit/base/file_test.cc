#include "base/file.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "support/program.h"

namespace muster {
namespace {

std::string error_of(const Result<std::string>& text) {
  REQUIRE_FALSE(text);
  CHECK(text.error().code == ErrorCode::kInvalid);
  return text.error().message;
}

}  // namespace

TEST_CASE("A file is read whole") {
  const test::Folder folder;
  const std::string path = (folder.path() / "f").string();
  const std::string text = std::string(200'000, 'x') + '\0' + "end\n";
  std::ofstream(path, std::ios::binary) << text;
  CHECK(read_file(path).value() == text);
  std::ofstream(path, std::ios::trunc).flush();
  CHECK(read_file(path).value().empty());
}

TEST_CASE("A file that cannot be read is named with the reason, also when reading it fails") {
  CHECK(error_of(read_file("/nowhere/x")) == "/nowhere/x: No such file or directory");
  CHECK(error_of(read_file("/tmp")) == "/tmp: Is a directory");
  CHECK(error_of(read_file("/proc/self/mem")) == "/proc/self/mem: Input/output error");
}

TEST_CASE("A file without an end is refused when it is larger than asked for") {
  CHECK(error_of(read_file("/dev/zero", std::size_t{1} << 20)) == "/dev/zero: is larger than 1 MiB");
}

}  // namespace muster
