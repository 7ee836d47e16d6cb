// Streams of the API server: the pieces they arrive in make no difference, and nothing in them crashes a
// decoder.
#include <string>
#include <vector>

#include "fuzz/target.h"
#include "kube/decode.h"
#include "kube/fingerprint.h"
#include "kube/framing.h"
#include "kube/status.h"
#include "kube/watch_event.h"

namespace {

using namespace muster;
using namespace muster::kube;

struct Cut {
  std::vector<std::string> parts;
  bool fine = true;
  std::string rest;
  friend bool operator==(const Cut&, const Cut&) = default;
};

template <typename Feed>
bool in_pieces(std::string_view text, std::size_t piece, Feed feed) {
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    if (!feed(text.substr(0, piece))) return false;
  }
  return true;
}

Cut lines_of(std::string_view text, std::size_t piece) {
  LineSplitter splitter;
  Cut cut;
  cut.fine = in_pieces(text, piece, [&](std::string_view part) {
    return splitter
        .feed(part,
              [&](std::string_view line) {
                cut.parts.emplace_back(line);
                return true;
              })
        .has_value();
  });
  return cut;
}

Cut items_of(std::string_view text, std::size_t piece) {
  ListSplitter splitter;
  Cut cut;
  cut.fine = in_pieces(text, piece, [&](std::string_view part) {
    return splitter.feed(part, [&](std::string_view item) { cut.parts.emplace_back(item); }).has_value();
  });
  if (!cut.fine) return cut;
  auto rest = splitter.finish();
  cut.fine = rest.has_value();
  if (rest) cut.rest = *rest;
  return cut;
}

void decode_all(std::string_view json) {
  if (const auto node = decode_node(json)) (void)fingerprint_of(*node);
  if (const auto pod = decode_pod(json)) (void)fingerprint_of(*pod);
  (void)read_meta(json);
  (void)read_status(json);
}

}  // namespace

MUSTER_FUZZ_TARGET(watch_framing) {
  const std::size_t piece = muster::fuzz::take_byte(input) + std::size_t{1};
  const Cut lines = lines_of(input, input.size() + 1);
  EXPECT_THAT(lines == lines_of(input, piece));
  const Cut items = items_of(input, input.size() + 1);
  const Cut cut = items_of(input, piece);
  EXPECT_THAT(items.fine == cut.fine && (!items.fine || items == cut));
  for (const auto& item : items.parts) decode_all(item);
  if (items.fine) (void)read_meta(items.rest);
  for (const auto& line : lines.parts) {
    const auto event = read_watch_event(line);
    if (event) decode_all(event->object);
  }
}
