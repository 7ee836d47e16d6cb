#include "extender/name_scan.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#if defined(__x86_64__)
#include <emmintrin.h>
#define MUSTER_WIDE __attribute__((target("avx2")))
#else
#define MUSTER_WIDE
#endif
#define MUSTER_INLINE inline __attribute__((always_inline))

namespace muster::extender {
namespace {

// So many bytes in one register; g++ and clang break it into smaller ones where the processor has none so
// wide.
struct Narrow {
  static constexpr std::size_t kBytes = 16;
  using Bytes = uint8_t __attribute__((vector_size(16)));
  using SignedBytes = int8_t __attribute__((vector_size(16)));
  using Words = uint64_t __attribute__((vector_size(16)));
};
struct Wide {
  static constexpr std::size_t kBytes = 32;
  using Bytes = uint8_t __attribute__((vector_size(32)));
  using SignedBytes = int8_t __attribute__((vector_size(32)));
  using Words = uint64_t __attribute__((vector_size(32)));
};

// What makes one byte, with those beside it, impossible in a plain list: a comma without a quote on each
// side, a quote that has not exactly one comma beside it (so that quotes open and close names in turn), a
// character that no plain name has.
bool breaks_list(unsigned char before, unsigned char here, unsigned char after) {
  if (here == ',') return before != '"' || after != '"';
  if (here == '"') return (before == ',') == (after == ',');
  return here < 0x20 || here > 0x7f || here == '\\';
}

// text[begin] to text[end - 1]; looks one byte further on both sides.
template <typename V>
MUSTER_INLINE bool is_plain(const char* text, std::size_t begin, std::size_t end) {
  constexpr std::size_t kBytes = V::kBytes;
  typename V::Bytes bad = {};
  std::size_t at = begin;
  for (; at + kBytes <= end; at += kBytes) {
    typename V::Bytes before;
    typename V::Bytes here;
    typename V::Bytes after;
    std::memcpy(&before, text + at - 1, kBytes);
    std::memcpy(&here, text + at, kBytes);
    std::memcpy(&after, text + at + 1, kBytes);
    typename V::Bytes quote_before = before == '"';
    typename V::Bytes quote_after = after == '"';
    typename V::Bytes comma_before = before == ',';
    typename V::Bytes comma_after = after == ',';
    typename V::Bytes is_comma = here == ',';
    typename V::Bytes is_quote = here == '"';
    bad |= is_comma & ~(quote_before & quote_after);
    bad |= is_quote & ~(comma_before ^ comma_after);
    // As signed numbers, control characters and everything beyond ASCII are below a space.
    bad |= typename V::Bytes(typename V::SignedBytes(here) < 0x20) | (here == '\\');
  }
  typename V::Words words = typename V::Words(bad);
  uint64_t any = 0;
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kBytes / 8; ++i) any |= words[i];
  for (; at < end; ++at) {
    any |= breaks_list(static_cast<unsigned char>(text[at - 1]), static_cast<unsigned char>(text[at]),
                       static_cast<unsigned char>(text[at + 1]))
               ? 1
               : 0;
  }
  return any == 0;
}

// Two places in the text to look for, by which most of the list's names are told from it.
struct Marks {
  std::size_t first = 0;
  std::size_t second = 0;
};

// Names of one cluster share most of their characters. A few of them, taken from all over the list, show
// where this one differs.
Marks marks_of(std::string_view text, std::string_view quoted) {
  constexpr std::size_t kSamples = 8;
  std::array<std::string_view, kSamples> samples;
  for (std::size_t i = 0; i < kSamples; ++i) {
    std::size_t at = text.find("\",\"", text.size() / kSamples * i);
    samples[i] = at == std::string_view::npos ? text : text.substr(at + 2);
  }
  std::array<bool, kSamples> settled = {};
  auto differs = [&](std::size_t sample, std::size_t place) {
    return place >= samples[sample].size() || samples[sample][place] != quoted[place];
  };
  // The place that tells most samples from it, those first that the other place does not.
  auto best = [&](std::size_t other_than) {
    std::size_t found = quoted.size() / 2;
    std::size_t most = 0;
    for (std::size_t place = 1; place < quoted.size(); ++place) {
      std::size_t worth = 0;
      for (std::size_t i = 0; i < kSamples; ++i) {
        if (differs(i, place)) worth += settled[i] ? 1 : kSamples + 1;
      }
      if (worth > most && place != other_than) {
        most = worth;
        found = place;
      }
    }
    return found;
  };
  Marks marks;
  marks.first = best(quoted.size());
  for (std::size_t i = 0; i < kSamples; ++i) settled[i] = differs(i, marks.first);
  marks.second = best(marks.first);
  return marks;
}

// The name to look for, in its quotes.
struct Wanted {
  std::string_view quoted;
  Marks marks;
};

// Whether it begins at text[begin] … text[end - 1]; the text goes on far enough for it.
template <typename V>
MUSTER_INLINE bool begins_between(const char* text, std::size_t begin, std::size_t end,
                                  const Wanted& wanted) {
  constexpr std::size_t kAtOnce = 4;
  constexpr std::size_t kStep = kAtOnce * V::kBytes;
  const std::string_view quoted = wanted.quoted;
  const char* first = text + wanted.marks.first;
  const char* second = text + wanted.marks.second;
  const auto first_byte = static_cast<uint8_t>(quoted[wanted.marks.first]);
  const auto second_byte = static_cast<uint8_t>(quoted[wanted.marks.second]);
  std::size_t at = begin;
  for (; at < end;) {
    std::size_t step = 1;
    if (at + kStep <= end) {
      step = kStep;
      typename V::Bytes both = {};
#pragma GCC unroll 4
      for (std::size_t i = 0; i < kAtOnce; ++i) {
        typename V::Bytes a;
        typename V::Bytes b;
        std::memcpy(&a, first + at + i * V::kBytes, V::kBytes);
        std::memcpy(&b, second + at + i * V::kBytes, V::kBytes);
        both |= (a == first_byte) & (b == second_byte);
      }
      typename V::Words words = typename V::Words(both);
      uint64_t any = 0;
#pragma GCC unroll 4
      for (std::size_t i = 0; i < V::kBytes / 8; ++i) any |= words[i];
      if (any == 0) {
        at += kStep;
        continue;
      }
    }
    for (std::size_t last = at + step; at < last; ++at) {
      if (text[at] == '"' && std::memcmp(text + at, quoted.data(), quoted.size()) == 0) return true;
    }
  }
  return false;
}

// Both looks at a block while it is near: memory is the bottleneck.
template <typename V>
MUSTER_INLINE ListScan scan_blocks(std::string_view text, const Wanted& wanted) {
  constexpr std::size_t kBlock = 16u << 10;
  std::size_t last = text.size() - 1;  // the first and the last byte belong to no separator
  std::size_t starts = wanted.quoted.empty() || wanted.quoted.size() > text.size()
                           ? 0
                           : text.size() - wanted.quoted.size() + 1;
  ListScan out;
  out.plain = true;
  for (std::size_t begin = 0; begin < last; begin += kBlock) {
    out.plain = is_plain<V>(text.data(), std::max<std::size_t>(begin, 1), std::min(begin + kBlock, last)) &&
                out.plain;
    if (!out.plain) break;
    if (out.found || begin >= starts) continue;
    out.found = begins_between<V>(text.data(), begin, std::min(begin + kBlock, starts), wanted);
  }
  out.found = out.found && out.plain;
  return out;
}

MUSTER_WIDE ListScan scan_wide(std::string_view text, const Wanted& wanted) {
  return scan_blocks<Wide>(text, wanted);
}
ListScan scan_narrow(std::string_view text, const Wanted& wanted) {
  return scan_blocks<Narrow>(text, wanted);
}

}  // namespace

ScanWidth widest_scan() {
#if defined(__x86_64__)
  static const bool wide = __builtin_cpu_supports("avx2") != 0;
  return wide ? ScanWidth::k32 : ScanWidth::k16;
#else
  return ScanWidth::k16;
#endif
}

ListScan scan_list(std::string_view text, std::string_view wanted, ScanWidth width) {
  if (text.empty()) return {.plain = true};
  bool framed = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  if (!framed || text[1] == ',' || text[text.size() - 2] == ',') return {};
  std::string quoted;
  // In a plain list a quote is always the edge of a name, and "," is the only text between two of them.
  if (!wanted.empty() && wanted.find_first_of("\",") == std::string_view::npos) {
    quoted.reserve(wanted.size() + 2);
    quoted += '"';
    quoted += wanted;
    quoted += '"';
  }
  Wanted what{quoted, quoted.empty() ? Marks{} : marks_of(text, quoted)};
  return width == ScanWidth::k32 ? scan_wide(text, what) : scan_narrow(text, what);
}

std::size_t commas_in(std::string_view text, uint32_t* positions) {
  std::size_t count = 0;
  std::size_t at = 0;
#if defined(__x86_64__)
  const __m128i comma = _mm_set1_epi8(',');
  auto mask_at = [&](std::size_t place) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + place));
    return static_cast<uint64_t>(static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, comma))));
  };
  for (; at + 64 <= text.size(); at += 64) {
    uint64_t mask = mask_at(at) | mask_at(at + 16) << 16 | mask_at(at + 32) << 32 | mask_at(at + 48) << 48;
    for (; mask != 0; mask &= mask - 1) {
      positions[count++] = static_cast<uint32_t>(at) + static_cast<uint32_t>(__builtin_ctzll(mask));
    }
  }
#endif
  for (; at < text.size(); ++at) {
    if (text[at] == ',') positions[count++] = static_cast<uint32_t>(at);
  }
  return count;
}

}  // namespace muster::extender
