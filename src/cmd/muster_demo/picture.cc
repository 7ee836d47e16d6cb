#include "cmd/muster_demo/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <string_view>

namespace muster::demo {
namespace {

constexpr std::size_t kColumn = 40;
constexpr std::size_t kBlocksBeside = 2;
constexpr std::size_t kHostsTogether = 4;

struct Glyphs {
  std::string_view busy, partly, free;
};

Glyphs glyphs_of(const Style& style) { return style.unicode ? Glyphs{"■", "◧", "·"} : Glyphs{"#", "+", "."}; }

// A text and how many columns it takes, which its bytes do not tell.
struct Cell {
  std::string text;
  std::size_t width = 0;

  void add(std::string_view more, std::size_t columns) {
    text += more;
    width += columns;
  }
  void pad_to(std::size_t columns) {
    if (width < columns) add(std::string(columns - width, ' '), columns - width);
  }
};

const GroupMark* mark_of(const std::string& group, const std::vector<GroupMark>& marks) {
  const auto found =
      std::find_if(marks.begin(), marks.end(), [&](const GroupMark& m) { return m.group == group; });
  return found == marks.end() ? nullptr : &*found;
}

std::string host_cell(const ClusterView& view, const Host& host, const std::vector<GroupMark>& marks,
                      const Style& style) {
  for (const PodView* pod : view.pods_on(host.name)) {
    const GroupMark* mark = mark_of(pod->group, marks);
    if (mark == nullptr) continue;
    const bool bound = pod->node == host.name;
    const char letter = bound ? mark->letter : static_cast<char>(std::tolower(mark->letter));
    return painted(style, mark->ink, std::string_view(&letter, 1));
  }
  const Glyphs glyphs = glyphs_of(style);
  const int free = view.free_gpus(host);
  if (free == host.gpus) return std::string(glyphs.free);
  return painted(style, Ink::kDim, free > 0 ? glyphs.partly : glyphs.busy);
}

using Rack = std::vector<const Host*>;
using Block = std::map<std::string, Rack>;

std::map<std::string, Block> blocks_of(const ClusterView& view) {
  std::map<std::string, Block> blocks;
  for (const Host& host : view.hosts()) blocks[host.block][host.rack].push_back(&host);
  return blocks;
}

Cell rack_cell(const ClusterView& view, const std::string& name, const Rack& rack,
               const std::vector<GroupMark>& marks, const Style& style) {
  Cell cell;
  cell.add(fmt::format("  {:<4}", name), std::max<std::size_t>(6, name.size() + 2));
  for (std::size_t i = 0; i < rack.size(); ++i) {
    if (i > 0 && i % kHostsTogether == 0) cell.add(" ", 1);
    cell.add(host_cell(view, *rack[i], marks, style), 1);
  }
  const int free = view.free_hosts(rack.front()->block, name);
  const std::string count = fmt::format("  {:>2} free", free);
  cell.add(painted(style, Ink::kDim, count), count.size());
  return cell;
}

// The lines of one block: its name, then its racks.
std::vector<Cell> block_cells(const ClusterView& view, const std::string& name, const Block& block,
                              const std::vector<GroupMark>& marks, const Style& style) {
  std::vector<Cell> cells;
  Cell title;
  const std::string text = "  block " + name;
  title.add(painted(style, Ink::kBold, text), text.size());
  cells.push_back(std::move(title));
  for (const auto& [rack_name, rack] : block) cells.push_back(rack_cell(view, rack_name, rack, marks, style));
  return cells;
}

std::string beside(const std::vector<std::vector<Cell>>& columns) {
  std::size_t lines = 0;
  for (const auto& column : columns) lines = std::max(lines, column.size());
  std::string out;
  for (std::size_t line = 0; line < lines; ++line) {
    Cell whole;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      whole.pad_to(c * kColumn);
      if (line < columns[c].size()) whole.add(columns[c][line].text, columns[c][line].width);
    }
    out += whole.text + "\n";
  }
  return out;
}

}  // namespace

std::string draw(const ClusterView& view, const std::vector<GroupMark>& marks, const Style& style) {
  std::string out;
  std::vector<std::vector<Cell>> columns;
  for (const auto& [name, block] : blocks_of(view)) {
    columns.push_back(block_cells(view, name, block, marks, style));
    if (columns.size() < kBlocksBeside) continue;
    out += beside(columns);
    columns.clear();
  }
  return out + beside(columns);
}

std::string legend(const ClusterView& view, const std::vector<GroupMark>& marks, const Style& style) {
  const Glyphs glyphs = glyphs_of(style);
  std::string out = "  " + painted(style, Ink::kDim, glyphs.busy) + " busy  " +
                    painted(style, Ink::kDim, glyphs.partly) + " partly used  " + std::string(glyphs.free) +
                    " free host of 8 GPUs";
  for (const GroupMark& mark : marks) {
    if (view.members(mark.group).empty()) continue;
    out += "  " + painted(style, mark.ink, std::string_view(&mark.letter, 1)) + " " + mark.group;
  }
  return out + "\n";
}

}  // namespace muster::demo
