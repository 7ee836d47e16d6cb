// A request's head: it ends in one place however its bytes arrive, and what is read of it keeps to the limits
// and to one meaning.
#include "http/request_head.h"

#include <algorithm>

#include "fuzz/target.h"

MUSTER_FUZZ_TARGET(request_head) {
  using namespace muster::http;
  const std::size_t arrived = muster::fuzz::take_byte(input);
  const std::size_t end = find_head_end(input);
  EXPECT_THAT(end <= input.size());
  const std::size_t early = find_head_end(input.substr(0, arrived));
  EXPECT_THAT(early == 0 || early == end);
  EXPECT_THAT(end == 0 || arrived < end || early == end);
  // The server looks for the end first; a head that is cut must be refused or read, too.
  const auto parsed = parse_head(end == 0 ? input : input.substr(0, end));
  if (const auto* refusal = std::get_if<HeadRefusal>(&parsed)) {
    EXPECT_THAT(refusal->status >= 400 && refusal->status < 600 && !refusal->message.empty());
    return;
  }
  const auto& head = std::get<RequestHead>(parsed);
  EXPECT_THAT(!head.method.empty() && head.path.starts_with('/') && head.headers.size() <= kMaxHeaders);
  EXPECT_THAT(!head.chunked || head.header("content-length").empty());
  for (const auto& [name, value] : head.headers)
    EXPECT_THAT(!name.empty() && (name + value).find_first_of("\r\n") == std::string::npos);
  EXPECT_THAT(head.query_value("timeout").size() <= head.query.size());
}
