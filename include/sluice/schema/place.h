#pragma once
#include <compare>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>

#include "sluice/model/binlog_position.h"

namespace sluice::schema {

// A place of the binlog in the order of all that was ever followed: later epochs come behind
// earlier ones, files go by their number.  A value.
class Place {
 public:
  Place() = default;
  Place(std::uint32_t epoch, BinlogPosition position)
      : epoch_(epoch), position_(std::move(position)) {
    if (const auto name = BinlogFileName::parse(position_.file); name.ok()) file_ = name->number;
  }
  std::uint32_t epoch() const noexcept { return epoch_; }
  const BinlogPosition& position() const noexcept { return position_; }
  std::uint64_t file() const noexcept { return file_; }  // the number in the file's name
  // "binlog.000003:1234"
  std::string to_string() const { return position_.to_string(); }

  friend bool operator==(const Place& a, const Place& b) noexcept { return a.order() == b.order(); }
  friend std::strong_ordering operator<=>(const Place& a, const Place& b) noexcept {
    return a.order() <=> b.order();
  }

 private:
  std::tuple<std::uint32_t, std::uint64_t, std::uint64_t> order() const noexcept {
    return {epoch_, file_, position_.pos};
  }
  std::uint32_t epoch_ = 1;
  BinlogPosition position_;
  std::uint64_t file_ = 0;  // the number in the file's name
};

}  // namespace sluice::schema
