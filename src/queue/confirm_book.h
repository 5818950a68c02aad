#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/queue/publisher.h"

namespace sluice::queue {

// Which partition's message is unconfirmed under which delivery tag: at most one each.  A value
// without I/O.
class ConfirmBook {
 public:
  explicit ConfirmBook(std::uint32_t partitions) : open_(partitions) {}

  std::uint32_t partitions() const noexcept { return static_cast<std::uint32_t>(open_.size()); }
  bool unconfirmed(std::uint32_t partition) const noexcept { return open_[partition].tag != 0; }
  // A message is about to go out on the confirming channel.
  void sent(std::uint32_t partition) { open_[partition].tag = ++last_tag_; }
  // basic.return: the ack that follows means "returned".  False: no message of that partition is
  // out.
  bool returned(std::uint32_t partition, std::string reason);
  // basic.ack or basic.nack; appends the outcomes.  False: the tag was never given out.  A tag that
  // is settled already is passed over (the broker may confirm it again inside a `multiple`).
  bool settle(std::uint64_t tag, bool multiple, bool acked, std::vector<Outcome>& out);

 private:
  struct Open {
    std::uint64_t tag = 0;  // 0: nothing out
    bool returned = false;
    std::string reason;
  };
  static void close(std::uint32_t partition, Open& open, bool acked, std::vector<Outcome>& out);
  std::vector<Open> open_;
  std::uint64_t last_tag_ = 0;
};

}  // namespace sluice::queue
