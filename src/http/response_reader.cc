#include "http/response_reader.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace muster::http {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// All of the text, digits only.
bool read_number(std::string_view text, int base, uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return !text.empty() && error == std::errc{} && end == text.data() + text.size();
}

tl::unexpected<Error> no_http(std::string_view what, std::string_view text) {
  return fail(ErrorCode::kInternal, "{} {}", what, muster::quoted(text.substr(0, 100)));
}

}  // namespace

bool ResponseReader::take_line(std::string_view& bytes) {
  const auto end = bytes.find('\n');
  line_.append(bytes.substr(0, end));
  if (end == std::string_view::npos) {
    bytes = {};
    return false;
  }
  bytes.remove_prefix(end + 1);
  if (line_.ends_with('\r')) line_.pop_back();
  return true;
}

Result<ResponseReader::Progress> ResponseReader::feed(std::string_view bytes,
                                                      const std::function<bool(int)>& on_status,
                                                      const std::function<bool(std::string_view)>& on_data) {
  while (!bytes.empty()) {
    switch (part_) {
      case Part::kHead:
      case Part::kTrailer: {
        const std::size_t before = bytes.size();
        const bool whole = take_line(bytes);
        head_bytes_ += before - bytes.size();
        if (head_bytes_ > kMaxHead)
          return fail(ErrorCode::kInternal, "the reply's head has more than {} bytes", kMaxHead);
        if (!whole) return Progress::kMore;
        if (part_ == Part::kTrailer) {
          if (line_.empty()) part_ = Part::kDone;
        } else if (auto taken = take_head_line(); !taken) {
          return tl::unexpected(taken.error());
        }
        line_.clear();
        if (std::exchange(headers_done_, false) && !on_status(status_)) return Progress::kStopped;
        break;
      }
      case Part::kChunkSize:
        if (!take_line(bytes)) {
          if (line_.size() > 4096) return no_http("a chunk's size is", line_);
          return Progress::kMore;
        }
        if (auto taken = take_chunk_size(); !taken) return tl::unexpected(taken.error());
        line_.clear();
        break;
      case Part::kChunkEnd:
        if (const bool whole = take_line(bytes); line_.size() > (whole ? 0 : 1))
          return no_http("a chunk is followed by", line_);
        else if (!whole)
          return Progress::kMore;
        part_ = Part::kChunkSize;
        break;
      case Part::kLength:
      case Part::kChunkData: {
        const std::string_view piece = bytes.substr(0, left_);
        bytes.remove_prefix(piece.size());
        left_ -= piece.size();
        if (left_ == 0) part_ = part_ == Part::kLength ? Part::kDone : Part::kChunkEnd;
        if (!on_data(piece)) return Progress::kStopped;
        break;
      }
      case Part::kUntilEnd:
        if (!on_data(bytes)) return Progress::kStopped;
        bytes = {};
        break;
      case Part::kDone:
        return no_http("the reply is followed by", bytes);
    }
  }
  return part_ == Part::kDone ? Progress::kDone : Progress::kMore;
}

Result<void> ResponseReader::take_head_line() {
  const std::string_view line = line_;
  if (!seen_head_) {
    uint64_t status = 0;
    const bool fine = line.size() >= 12 && line.starts_with("HTTP/1.") &&
                      (line[7] == '0' || line[7] == '1') && line[8] == ' ' &&
                      read_number(line.substr(9, 3), 10, status) && status >= 100 &&
                      (line.size() == 12 || line[12] == ' ');
    if (!fine) return no_http("the reply is no HTTP/1.1 but", line);
    minor_version_ = line[7] - '0';
    keeps_alive_ = minor_version_ == 1;
    status_ = static_cast<int>(status);
    seen_head_ = true;
    return {};
  }
  if (line.empty()) return end_of_head();
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return no_http("the reply has a header", line);
  note_header(line.substr(0, colon), trimmed(line.substr(colon + 1)));
  return {};
}

void ResponseReader::note_header(std::string_view name, std::string_view value) {
  headers_.insert_or_assign(lower_case(name), std::string(value));
}

Result<void> ResponseReader::end_of_head() {
  if (status_ < 200) {  // the real one follows
    seen_head_ = false;
    headers_.clear();
    return {};
  }
  headers_done_ = true;
  const auto header = [&](const char* name) {
    const auto found = headers_.find(name);
    return found == headers_.end() ? std::string() : found->second;
  };
  const std::string connection = lower_case(header("connection"));
  if (connection.find("close") != std::string::npos) keeps_alive_ = false;
  const std::string coding = lower_case(header("transfer-encoding"));
  if (bodiless_ || status_ == 204 || status_ == 304) {
    part_ = Part::kDone;
  } else if (!coding.empty()) {
    if (coding != "chunked") return no_http("the reply's Transfer-Encoding is", coding);
    part_ = Part::kChunkSize;
  } else if (const std::string length = header("content-length"); !length.empty()) {
    if (!read_number(length, 10, left_)) return no_http("the reply's Content-Length is", length);
    part_ = left_ == 0 ? Part::kDone : Part::kLength;
  } else {
    part_ = Part::kUntilEnd;
    keeps_alive_ = false;
  }
  return {};
}

Result<void> ResponseReader::take_chunk_size() {
  const std::string_view size = trimmed(std::string_view(line_).substr(0, line_.find(';')));
  if (size.size() > 15 || !read_number(size, 16, left_)) return no_http("a chunk's size is", line_);
  part_ = left_ == 0 ? Part::kTrailer : Part::kChunkData;
  return {};
}

}  // namespace muster::http
