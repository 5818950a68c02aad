#include "sluice/binlog/unpacker.h"

#include "binlog/errors.h"
#include "binlog/unpack_mariadb.h"
#include "binlog/unpack_payload.h"

namespace sluice::binlog {

struct EventUnpacker::Impl {
  explicit Impl(UnpackLimits l) : limits(l) {}
  UnpackLimits limits;
  PayloadReader payload;
  FragmentReader fragments;
  TextBuffer inflated;  // of MariaDB's events
  EventView single;     // that comes out of them
  enum class Holds : std::uint8_t { nothing, single, payload } holds = Holds::nothing;
};

EventUnpacker::EventUnpacker(UnpackLimits limits) : impl_(std::make_unique<Impl>(limits)) {}
EventUnpacker::~EventUnpacker() = default;

bool EventUnpacker::is_packed(EventType type) noexcept {
  return type == EventType::transaction_payload || type == EventType::partial_row_data ||
         is_compressed_event(type);
}

Status EventUnpacker::open(const EventView& packed, const FormatDescription& format) {
  const EventType type = packed.header.type;
  const std::uint64_t cap = impl_->limits.event_bytes;
  impl_->holds = Impl::Holds::nothing;
  if (in_fragments() && type != EventType::partial_row_data)
    return malformed(event_type_name(type), "it comes between two PARTIAL_ROW_DATA");
  if (type == EventType::transaction_payload) {
    SLUICE_TRY(impl_->payload.open(packed.body, format.header_len, impl_->limits));
    impl_->holds = Impl::Holds::payload;
    return {};
  }
  EventView& event = impl_->single;
  if (type == EventType::partial_row_data) {
    SLUICE_TRY_ASSIGN(const bool whole, impl_->fragments.add(packed.body, cap));
    if (!whole) return {};
    SLUICE_TRY_ASSIGN(event, impl_->fragments.event(format));
  } else {
    event = packed;
  }
  if (is_compressed_event(event.header.type))
    SLUICE_TRY(inflate_event(event, format, cap, impl_->inflated));
  else if (type != EventType::partial_row_data)
    return fatal(Errc::internal, std::string(event_type_name(type)) + " holds no event");
  impl_->holds = Impl::Holds::single;
  return {};
}

Result<bool> EventUnpacker::next(EventView& out) {
  switch (impl_->holds) {
    case Impl::Holds::nothing: return false;
    case Impl::Holds::payload: return impl_->payload.next(out);
    case Impl::Holds::single: break;
  }
  out = impl_->single;
  impl_->holds = Impl::Holds::nothing;
  return true;
}

bool EventUnpacker::in_fragments() const noexcept {
  return impl_->fragments.pending();
}

void EventUnpacker::reset() noexcept {
  impl_->fragments.reset();
  impl_->payload.close();
  impl_->holds = Impl::Holds::nothing;
}

std::size_t EventUnpacker::buffered() const noexcept {
  return impl_->payload.memory() + impl_->fragments.memory() + impl_->inflated.capacity();
}

}  // namespace sluice::binlog
