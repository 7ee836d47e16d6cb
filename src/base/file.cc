#include "base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace muster {
namespace {

tl::unexpected<Error> system_error(const std::string& name) {
  return invalid("{}: {}", name, std::generic_category().message(errno));
}

Result<std::string> read_all(int fd, const std::string& name, std::size_t most) {
  std::string text;
  char block[1u << 16];
  while (true) {
    const ssize_t got = ::read(fd, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(name);
    if (got == 0) return text;
    text.append(block, static_cast<std::size_t>(got));
    if (text.size() > most) return invalid("{}: is larger than {} MiB", name, most >> 20);
  }
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t most) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return system_error(path);
  Result<std::string> text = read_all(fd, path, most);
  ::close(fd);
  return text;
}

Result<std::string> read_stdin() { return read_all(STDIN_FILENO, "standard input", kLargestFile); }

}  // namespace muster
