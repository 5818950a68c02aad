#pragma once
// Message bodies made by hand: rows of db.t (id INT PRIMARY KEY), one line each.
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "sluice/event/line_encoder.h"
#include "sluice/model/message_headers.h"

#include "unit/pipeline/plans.h"

namespace sluice::pipeline::testing {

struct Message {
  MessageHeaders headers;
  std::string body;
};

// Inserts of `id` (db.t), under these event ids.
inline Message message(const EventId& prev, const std::vector<std::pair<EventId, int>>& rows,
                       const std::string& gtid = "0-1-1") {
  static const auto kPlan = simple_plan("db", "t");
  Message m;
  m.headers.prev = m.headers.first = m.headers.last = prev;
  TextBuffer body;
  bool first = true;
  for (const auto& [id, value] : rows) {
    std::array<std::byte, 4> bytes{};
    for (unsigned i = 0; i < 4; ++i)
      bytes[i] = static_cast<std::byte>(static_cast<unsigned>(value) >> (8 * i) & 0xFF);
    const std::array<binlog::Cell, 1> cells{binlog::Cell{bytes, binlog::CellState::value}};
    event::LineContext context;
    context.seq = {id.epoch, id.file, id.pos, id.event, 0};
    context.gtid = gtid;
    event::LineEncoder encoder;
    encoder.begin(*kPlan, ChangeKind::insert, id.half, context);
    EXPECT_TRUE(encoder.add(id.row, cells, {}).ok());
    TextBuffer text;
    const event::EncodedLine line = encoder.finish(text);
    event::append_line(body, text.view().substr(line.begin, line.size), line, first, 1);
    if (first) m.headers.first = id;
    first = false;
    m.headers.last = id;
    ++m.headers.rows;
  }
  m.headers.gtid = gtid;
  m.body = body.view();
  return m;
}

inline Message& with_tick(Message& m, std::uint64_t pos, std::uint64_t file = 1) {
  TextBuffer body;
  event::append_tick(body, {1, "binlog.00000" + std::to_string(file), file, pos, "0-1-9", 77});
  m.body += body.view();
  return m;
}

}  // namespace sluice::pipeline::testing
