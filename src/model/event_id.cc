#include "sluice/model/event_id.h"

#include <array>
#include <charconv>
#include <span>

namespace sluice {
namespace {

// Reads exactly out.size() decimal numbers with dots between.
bool parse_dotted(std::string_view text, std::span<std::uint64_t> out) {
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i != 0) {
      if (at == end || *at != '.') return false;
      ++at;
    }
    const auto [next, err] = std::from_chars(at, end, out[i]);
    if (err != std::errc{} || next == at) return false;
    at = next;
  }
  return at == end;
}

void append_dotted(TextBuffer& out, std::span<const std::uint64_t> values) {
  char* at = out.room(values.size() * 21);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i != 0) *at++ = '.';
    at = write_uint(at, values[i]);
  }
  out.commit_to(at);
}

constexpr std::uint64_t kMaxEpoch = 0xFFFFFFFF;

}  // namespace

std::string TransactionId::to_string() const {
  TextBuffer out;
  append_dotted(out, std::array<std::uint64_t, 3>{epoch, file, pos});
  return std::string(out.view());
}

Result<TransactionId> TransactionId::parse(std::string_view text) {
  std::array<std::uint64_t, 3> v{};
  if (!parse_dotted(text, v) || v[0] > kMaxEpoch)
    return fatal(Errc::position_damaged, "\"" + std::string(text.substr(0, 100)) +
                                             "\" is not a transaction id (epoch.file.pos)");
  return TransactionId{static_cast<std::uint32_t>(v[0]), v[1], v[2]};
}

void EventId::append_to(TextBuffer& out) const {
  append_dotted(out, std::array<std::uint64_t, 6>{epoch, file, pos, event, row, half});
}

std::string EventId::to_string() const {
  TextBuffer out;
  append_to(out);
  return std::string(out.view());
}

Result<EventId> EventId::parse(std::string_view text) {
  std::array<std::uint64_t, 6> v{};
  if (!parse_dotted(text, v) || v[0] > kMaxEpoch || v[5] > 1)
    return fatal(Errc::queue_message, "\"" + std::string(text.substr(0, 100)) +
                                          "\" is not an event id (epoch.file.pos.event.row.half)");
  return EventId{static_cast<std::uint32_t>(v[0]), v[1], v[2], v[3], v[4],
                 static_cast<std::uint8_t>(v[5])};
}

void Seq::append_to(TextBuffer& out) const {
  append_dotted(out, std::array<std::uint64_t, 5>{epoch, file, pos, event, half});
}

Result<Seq> Seq::parse(std::string_view text) {
  std::array<std::uint64_t, 5> v{};
  if (!parse_dotted(text, v) || v[0] > kMaxEpoch || v[4] > 1)
    return fatal(Errc::queue_message, "\"" + std::string(text.substr(0, 100)) +
                                          "\" is not a seq (epoch.file.pos.event.half)");
  return Seq{static_cast<std::uint32_t>(v[0]), v[1], v[2], v[3], static_cast<std::uint8_t>(v[4])};
}

}  // namespace sluice
