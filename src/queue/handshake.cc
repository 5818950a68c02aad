// connection.start .. connection.open-ok of AMQP 0-9-1, 4.2.2 and 1.4.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <unistd.h>

#include "sluice/base/clock.h"
#include "sluice/base/host.h"

#include "queue/amqp_bytes.h"
#include "queue/link.h"

namespace sluice::queue {
namespace {

std::string_view text_of(const amqp_table_t& table, std::string_view key) {
  for (int i = 0; i < table.num_entries; ++i) {
    const auto& e = table.entries[i];
    if (view(e.key) == key &&
        (e.value.kind == AMQP_FIELD_KIND_UTF8 || e.value.kind == AMQP_FIELD_KIND_BYTES))
      return view(e.value.value.bytes);
  }
  return {};
}

BrokerInfo broker_info(const amqp_table_t& properties) {
  BrokerInfo info{std::string(text_of(properties, "product")),
                  std::string(text_of(properties, "version")), 0, 0};
  const char* end = info.version.data() + info.version.size();
  const auto major = std::from_chars(info.version.data(), end, info.major);
  if (major.ec == std::errc() && major.ptr != end && *major.ptr == '.')
    std::from_chars(major.ptr + 1, end, info.minor);
  return info;
}

bool offers(std::string_view mechanisms, std::string_view name) {
  while (!mechanisms.empty()) {
    const auto space = mechanisms.find(' ');
    if (mechanisms.substr(0, space) == name) return true;
    mechanisms.remove_prefix(space == std::string_view::npos ? mechanisms.size() : space + 1);
  }
  return false;
}

// The smaller of two limits where 0 means "none".
template <class T>
T smaller(T a, T b) {
  if (a == 0 || b == 0) return std::max(a, b);
  return std::min(a, b);
}

}  // namespace

Result<Frame> Link::await(MethodId id, const char* what) {
  const Time deadline = system_clock().steady() + timeout_;
  for (;;) {
    SLUICE_TRY_ASSIGN(auto frame, next_frame());
    if (frame && frame->is(id)) return *frame;
    if (frame) {
      return die(lost(peer_, std::string("waited for ") + what + ", got method " +
                                 std::to_string(frame->method)));
    }
    SLUICE_TRY_ASSIGN(const Woken woken, wait(deadline, nullptr));
    if (woken == Woken::timeout)
      return die(lost(
          peer_, std::string("no ") + what + " for " + std::to_string(timeout_.count()) + " ms"));
  }
}

Status Link::start(const QueueOptions& options, const std::string& role) {
  encoder_.clear();
  encoder_.add_protocol_header();
  SLUICE_TRY(flush());
  SLUICE_TRY_ASSIGN(const Frame frame, await(AMQP_CONNECTION_START_METHOD, "connection.start"));
  const auto& offer = frame.as<amqp_connection_start_t>();
  broker_ = broker_info(offer.server_properties);
  if (!offers(view(offer.mechanisms), "PLAIN")) {
    return die(
        fatal(Errc::queue_denied, peer_.name() + ": no login with user and password, only " +
                                      std::string(view(offer.mechanisms)) +
                                      "; remedy: add PLAIN to auth_mechanisms in rabbitmq.conf"));
  }

  const std::string name =
      role + " (pid " + std::to_string(::getpid()) + " on " + host_name() + ")";
  std::array capabilities{
      flag_entry("publisher_confirms", true), flag_entry("consumer_cancel_notify", true),
      flag_entry("connection.blocked", true), flag_entry("authentication_failure_close", true),
      flag_entry("basic.nack", true)};
  amqp_table_entry_t nested{};
  nested.key = amqp_bytes("capabilities");
  nested.value.kind = AMQP_FIELD_KIND_TABLE;
  nested.value.value.table = {static_cast<int>(capabilities.size()), capabilities.data()};
  std::array properties{text_entry("product", "Sluice"), text_entry("version", SLUICE_VERSION),
                        text_entry("platform", "C++"), text_entry("connection_name", name), nested};
  std::string credentials;  // RFC 4616: authzid NUL authcid NUL passwd
  credentials.reserve(options.user().size() + options.password().reveal().size() + 2);
  credentials.append(1, '\0')
      .append(options.user())
      .append(1, '\0')
      .append(options.password().reveal());

  amqp_connection_start_ok_t args{};
  args.client_properties = {static_cast<int>(properties.size()), properties.data()};
  args.mechanism = amqp_bytes("PLAIN");
  args.response = amqp_bytes(credentials);
  args.locale = amqp_bytes("en_US");
  Status sent = send_method(0, AMQP_CONNECTION_START_OK_METHOD, &args);
  ::explicit_bzero(credentials.data(), credentials.size());
  return sent;
}

Status Link::tune(const QueueOptions& options) {
  SLUICE_TRY_ASSIGN(const Frame frame, await(AMQP_CONNECTION_TUNE_METHOD, "connection.tune"));
  const auto& limits = frame.as<amqp_connection_tune_t>();
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(options.heartbeat()).count();
  amqp_connection_tune_ok_t args{};
  args.channel_max = smaller(limits.channel_max, static_cast<std::uint16_t>(options.channel_max()));
  args.frame_max =
      smaller(limits.frame_max, static_cast<std::uint32_t>(options.frame_max().bytes()));
  args.heartbeat = smaller(limits.heartbeat, static_cast<std::uint16_t>(seconds));
  if (args.frame_max < AMQP_FRAME_MIN_SIZE)
    return die(
        lost(peer_, "frame_max " + std::to_string(args.frame_max) + " is below AMQP's minimum"));
  SLUICE_TRY(send_method(0, AMQP_CONNECTION_TUNE_OK_METHOD, &args));
  channel_max_ = args.channel_max;
  decoder_.set_frame_max(args.frame_max);
  encoder_.set_frame_max(args.frame_max);
  heartbeat_ = std::chrono::seconds(args.heartbeat);
  return {};
}

Status Link::open_vhost() {
  amqp_connection_open_t args{};
  args.virtual_host = amqp_bytes(peer_.vhost);
  SLUICE_TRY(send_method(0, AMQP_CONNECTION_OPEN_METHOD, &args));
  SLUICE_TRY_ASSIGN(const Frame frame, await(AMQP_CONNECTION_OPEN_OK_METHOD, "connection.open-ok"));
  logged_in_ = frame.is(AMQP_CONNECTION_OPEN_OK_METHOD);
  return {};
}

Status Link::login(const QueueOptions& options, const std::string& role) {
  SLUICE_TRY(start(options, role));
  SLUICE_TRY(tune(options));
  return open_vhost();
}

}  // namespace sluice::queue
