#include "queue/confirm_channel.h"

namespace sluice::queue {

Status open_confirm_channel(Link& link, ChannelNumber channel, FrameSink& sink) {
  const amqp_channel_open_t open{};
  SLUICE_TRY_ASSIGN(auto reply, link.call(channel, AMQP_CHANNEL_OPEN_METHOD, &open,
                                          AMQP_CHANNEL_OPEN_OK_METHOD, sink));
  if (!reply.closed) {
    const amqp_confirm_select_t select{};
    SLUICE_TRY_ASSIGN(reply, link.call(channel, AMQP_CONFIRM_SELECT_METHOD, &select,
                                       AMQP_CONFIRM_SELECT_OK_METHOD, sink));
  }
  if (reply.closed) return link.leave(broker_error(link.peer(), reply.code, reply.text, false));
  return {};
}

}  // namespace sluice::queue
