// A reply of the API server: the pieces it arrives in make no difference.
#include "fuzz/target.h"
#include "http/response_reader.h"

namespace {

using muster::http::ResponseReader;

struct Outcome {
  bool fine = true;
  ResponseReader::Progress progress = ResponseReader::Progress::kMore;
  int status = 0;
  std::string body;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome read(std::string_view text, std::size_t piece) {
  ResponseReader reader;
  Outcome outcome;
  for (; !text.empty() && outcome.fine; text.remove_prefix(std::min(piece, text.size()))) {
    const auto progress = reader.feed(
        text.substr(0, piece),
        [&](int status) {
          outcome.status = status;
          return true;
        },
        [&](std::string_view data) {
          outcome.body += data;
          return true;
        });
    outcome.fine = progress.has_value();
    if (progress) outcome.progress = *progress;
  }
  return outcome;
}

}  // namespace

MUSTER_FUZZ_TARGET(http_response) {
  const std::size_t piece = muster::fuzz::take_byte(input) + std::size_t{1};
  const Outcome whole = read(input, input.size() + 1);
  const Outcome parts = read(input, piece);
  EXPECT_THAT(whole.fine == parts.fine && whole.status == parts.status && whole.body == parts.body);
  EXPECT_THAT(!whole.fine || whole.progress == parts.progress);
}
