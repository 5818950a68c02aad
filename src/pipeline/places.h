#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/binlog/event_source.h"
#include "sluice/model/binlog_position.h"
#include "sluice/model/flavor.h"
#include "sluice/model/gtid.h"
#include "sluice/position/state_file.h"

namespace sluice::pipeline {

// A place between two transactions, and what was executed before it.
struct Place {
  BinlogPosition position;
  GtidSet gtids;  // empty where the binlog has none
};

// Looks for places in the source's binlog by reading it; changes nothing.  Belongs to one thread.
class PlaceFinder {
 public:
  // Opens a dump at a position of 32 bits.
  using Open = std::function<Result<std::unique_ptr<binlog::EventSource>>(const BinlogPosition&)>;
  // The binlog at hand: its files, oldest first, and where it ends.  What is written behind `end`
  // meanwhile does not count.
  PlaceFinder(Open open, std::vector<std::string> files, BinlogPosition end, Flavor flavor)
      : open_(std::move(open)), files_(std::move(files)), end_(std::move(end)), flavor_(flavor) {}

  // A position that somebody gave: reads its file up to there; behind the ROTATE of a file it is
  // the head of the next.  Errors: fatal/usage, naming the nearest places around it, when it is not
  // between two transactions, and when it lies beyond an end; fatal/mysql_binlog_purged; the
  // source's.
  Result<Place> at(const BinlogPosition& position) const;
  // Before the first transaction that was committed at this time (seconds since the epoch) or
  // later, by the source's clock; the end when there is none.  Errors: fatal/mysql_binlog_purged
  // when the binlog begins later and files before it are gone; the source's.
  Result<Place> of_time(std::int64_t seconds) const;
  // Whether the oldest file was begun before that second, so that all committed since is there.
  // Errors: the source's.
  Result<bool> reaches_back_to(std::int64_t seconds) const;
  // Before the first transaction, from the head of `file` on, that the set lacks; the end when
  // there is none.  `file`: the one that the source begins with behind that set.  Errors:
  // fatal/usage when transactions of the set come behind that place as well, so that no place says
  // what the set says; the source's.
  Result<Place> behind(const GtidSet& set, const std::string& file) const;
  // Behind the last transaction of a trail that another server's binlog left, looked for from
  // `seconds` on.  Nullopt: the transactions are not there in this order, or more than once.
  // Errors: those of of_time().
  Result<std::optional<Place>> behind(const position::Trail& trail, std::int64_t seconds) const;

 private:
  class Walk;
  Result<std::uint32_t> head_time(const std::string& file) const;
  Result<std::string> file_of_time(std::int64_t seconds) const;

  Open open_;
  std::vector<std::string> files_;
  BinlogPosition end_;
  Flavor flavor_;
};

}  // namespace sluice::pipeline
