#pragma once
#include "queue/link.h"

namespace sluice::queue {

// Opens a channel whose publishes are confirmed.  Errors: those of the link; the broker's when it
// refuses (broker_error).
Status open_confirm_channel(Link& link, ChannelNumber channel, FrameSink& sink);

}  // namespace sluice::queue
