#include "queue/confirm_book.h"

#include <utility>

namespace sluice::queue {

bool ConfirmBook::returned(std::uint32_t partition, std::string reason) {
  if (partition >= open_.size() || open_[partition].tag == 0) return false;
  open_[partition].returned = true;
  open_[partition].reason = std::move(reason);
  return true;
}

void ConfirmBook::close(std::uint32_t partition, Open& open, bool acked,
                        std::vector<Outcome>& out) {
  Outcome& o = out.emplace_back();
  o.partition = partition;
  if (open.returned)
    o.kind = Outcome::Kind::returned;
  else if (!acked)
    o.kind = Outcome::Kind::nacked;
  o.reason = std::move(open.reason);
  open = Open{};
}

bool ConfirmBook::settle(std::uint64_t tag, bool multiple, bool acked, std::vector<Outcome>& out) {
  // Tag 0 with `multiple` means all (AMQP 0-9-1, basic.ack).
  if (multiple && tag == 0) tag = last_tag_;
  if (tag == 0 || tag > last_tag_) return false;
  for (std::uint32_t p = 0; p < open_.size(); ++p) {
    Open& open = open_[p];
    if (open.tag == 0 || (multiple ? open.tag > tag : open.tag != tag)) continue;
    close(p, open, acked, out);
    if (!multiple) break;
  }
  return true;
}

}  // namespace sluice::queue
