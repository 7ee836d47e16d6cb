// An HTTP/1.1 response taken apart as its bytes arrive: the head, then the body by length, by chunks or until
// the end of the connection. Bytes of the body are handed over as they are, without a copy.
//
// Thread rule: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"

namespace muster::http {

class ResponseReader {
 public:
  static constexpr std::size_t kMaxHead = std::size_t{64} << 10;

  enum class Progress { kMore, kDone, kStopped };

  // bodiless: of HEAD, to which no body belongs whatever the head says.
  explicit ResponseReader(bool bodiless = false) : bodiless_(bodiless) {}

  // Reads on. on_status is called once, on_data for each piece of the body; a false of either is kStopped.
  // What stands behind the response is an error, since nothing was asked for. kInternal says why this is no
  // HTTP.
  [[nodiscard]] Result<Progress> feed(std::string_view bytes, const std::function<bool(int)>& on_status,
                                      const std::function<bool(std::string_view)>& on_data);
  // The connection has ended. True when that is how the body ends.
  [[nodiscard]] bool complete_at_end() const { return part_ == Part::kUntilEnd; }
  [[nodiscard]] bool head_complete() const { return part_ != Part::kHead; }
  // Nothing has come yet.
  [[nodiscard]] bool untouched() const { return part_ == Part::kHead && line_.empty() && !seen_head_; }

  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] const std::map<std::string, std::string>& headers() const { return headers_; }  // lower case
  // The connection may be used again after kDone.
  [[nodiscard]] bool keeps_alive() const { return keeps_alive_; }

 private:
  enum class Part { kHead, kLength, kChunkSize, kChunkData, kChunkEnd, kTrailer, kUntilEnd, kDone };

  // Moves the bytes up to the end of a line into line_. True when it is complete, and without its line end.
  [[nodiscard]] bool take_line(std::string_view& bytes);
  Result<void> take_head_line();
  Result<void> end_of_head();
  Result<void> take_chunk_size();
  void note_header(std::string_view name, std::string_view value);

  bool bodiless_;
  Part part_ = Part::kHead;
  std::string line_;
  std::size_t head_bytes_ = 0;
  bool seen_head_ = false;  // the status line
  bool headers_done_ = false;
  int minor_version_ = 1;
  int status_ = 0;
  uint64_t left_ = 0;  // of the body or the chunk
  bool keeps_alive_ = true;
  std::map<std::string, std::string> headers_;
};

}  // namespace muster::http
