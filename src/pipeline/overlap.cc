#include "pipeline/overlap.h"

#include <limits>
#include <string>
#include <utility>

namespace sluice::pipeline {
namespace {

constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();

}  // namespace

Overlap::Overlap(Marks marks) : marks_(std::move(marks)), left_(marks_.size()) {
  for (const auto& mark : marks_)
    if (mark) ++open_;
}

void Overlap::begin(std::string_view gtid) {
  if (open_ == 0) return;
  for (std::size_t p = 0; p < marks_.size(); ++p) {
    const auto& mark = marks_[p];
    left_[p] = !mark ? 0 : mark->gtid == gtid ? mark->ordinal : kAll;
  }
}

bool Overlap::drops(std::uint32_t partition) {
  if (partition >= left_.size() || left_[partition] == 0) return false;
  if (left_[partition] != kAll) --left_[partition];
  return true;
}

Status Overlap::end(std::string_view gtid) {
  for (std::size_t p = 0; p < marks_.size(); ++p) {
    auto& mark = marks_[p];
    if (!mark || mark->gtid != gtid) continue;
    if (left_[p] != 0)
      return fatal(Errc::mysql_identity,
                   "transaction " + mark->gtid + " has " + std::to_string(left_[p]) +
                       " rows fewer for partition " + std::to_string(p) +
                       " than were sent of it from the server before: the two servers differ. "
                       "Compare the tables, then `sluice position set` behind it");
    mark.reset();
    --open_;
  }
  return {};
}

}  // namespace sluice::pipeline
