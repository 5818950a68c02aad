#include "sluice/mysql/replication_stream.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "sluice/base/byte_writer.h"
#include "sluice/base/hash.h"
#include "sluice/base/unique_fd.h"
#include "sluice/binlog/control_events.h"
#include "sluice/mysql/gtid_state.h"

#include "mysql/client.h"
#include "mysql/pvio.h"
#include "mysql/replica_name.h"
#include "mysql/stream_errors.h"

namespace sluice::mysql {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kMissedHeartbeats = 3;
constexpr milliseconds kTimerSlack{5};
constexpr std::uint64_t kFirstEvent = 4;  // behind the file's magic number

// COM_BINLOG_DUMP flags.  Both happen to be bit 1.
constexpr std::uint16_t kSendAnnotateRows =
    2;  // MariaDB: sql/log_event.h BINLOG_SEND_ANNOTATE_ROWS_EVENT
constexpr std::uint16_t kUseHeartbeatV2 = 2;  // MySQL: USE_HEARTBEAT_EVENT_V2, positions of 64 bit
constexpr std::uint32_t kHeartbeatV2Version = 80026;

constexpr unsigned char kEventMark = 0x00;
constexpr unsigned char kEofMark = 0xFE;
constexpr unsigned long kEofMaxSize = 9;
constexpr std::size_t kPacketHeader = 4;
// MySQL's COM_BINLOG_DUMP_GTID, which Connector/C has no name for.
constexpr auto kDumpGtid = static_cast<enum_server_command>(30);

// The name we are listed by.  MariaDB's list has no uuid, so there it tells our own dead connection
// from a stranger's.
std::string listed_name(const ReplicaIdentity& identity, Flavor flavor) {
  std::array<char, 256> name{};
  std::string host = ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "sluice";
  return flavor == Flavor::mariadb ? replica_host_name(host, identity) : host;
}

// Longest silence while reading; Connector/C's own setter takes whole seconds.  A plain socket
// waits by the first value, a TLS one (which blocks in the system call) by the socket's.
void set_read_timeout(MYSQL* handle, milliseconds time) {
  handle->net.pvio->timeout[PVIO_READ_TIMEOUT] = static_cast<int>(time.count());
  if (handle->net.pvio->ctls == nullptr) return;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  timeval value{};
  value.tv_sec = seconds.count();
  value.tv_usec = std::chrono::microseconds(time - seconds).count();
  ::setsockopt(mysql_get_socket(handle), SOL_SOCKET, SO_RCVTIMEO, &value, sizeof value);
}

// What comes at once, before the server looks for the place in the file.
bool is_head_of_file(std::span<const unsigned char> event) {
  using binlog::EventType;
  constexpr std::size_t kTypeAt = 4;
  if (event.size() <= kTypeAt) return true;
  switch (static_cast<EventType>(event[kTypeAt])) {
    case EventType::rotate:
    case EventType::format_description:
    case EventType::start_encryption:
    case EventType::previous_gtids:
    case EventType::gtid_list:
    case EventType::binlog_checkpoint: return true;
    default: return false;
  }
}

class DumpStream final : public binlog::EventSource {
 public:
  // `from`: where the dump was asked to begin, for error texts.  `search`: longest silence until
  // the first transaction or heartbeat: MariaDB says nothing while it reads a file up to a GTID.
  DumpStream(Connection connection, binlog::ChecksumAlg checksum, std::string from,
             milliseconds silence, milliseconds search)
      : connection_(std::move(connection)),
        handle_(connection_.impl().handle.get()),
        stop_fd_(::dup(mysql_get_socket(handle_))),
        checksum_(checksum),
        from_(std::move(from)),
        silence_(silence),
        limit_(std::max(silence, search)) {
    set_read_timeout(handle_, limit_);
  }

  // Waits for what the server answers to the dump command: its first event, kept for next(), or an
  // error.
  Status begin() {
    if (!stop_fd_) return fatal(Errc::io, "no file descriptor left for the source's connection");
    SLUICE_TRY_ASSIGN(first_, read());
    return {};
  }

  Result<Bytes> next() override {
    if (stopped_.load(std::memory_order_acquire)) return stopped();
    if (!first_.empty()) return std::exchange(first_, Bytes());
    return read();
  }

  bool ready() override {
    if (stopped_.load(std::memory_order_acquire) || !first_.empty() || has_whole_packet() ||
        tls_has_pending(handle_))
      return true;
    pollfd socket{mysql_get_socket(handle_), POLLIN, 0};
    return ::poll(&socket, 1, 0) > 0;
  }

  void interrupt() override {
    stopped_.store(true, std::memory_order_release);
    ::shutdown(stop_fd_.get(), SHUT_RDWR);  // ends a read that another thread is blocked in
  }

  binlog::ChecksumAlg announced_checksum() const override { return checksum_; }

 private:
  // What the client library has read ahead.
  std::span<const unsigned char> buffered() const noexcept {
    const MARIADB_PVIO* const pvio = handle_->net.pvio;
    const std::span<const unsigned char> cache(pvio->cache, pvio->cache_size);
    const auto used = static_cast<std::size_t>(pvio->cache_pos - pvio->cache);
    return used < cache.size() ? cache.subspan(used) : std::span<const unsigned char>();
  }

  bool has_whole_packet() const noexcept {
    const auto bytes = buffered();
    if (bytes.size() < kPacketHeader) return false;
    const std::size_t size = bytes[0] | std::size_t{bytes[1]} << 8 | std::size_t{bytes[2]} << 16;
    return bytes.size() - kPacketHeader >= size;
  }

  Result<Bytes> read() {
    const bool waits = buffered().empty();
    const auto since = waits ? steady_clock::now() : steady_clock::time_point();
    const unsigned long size = mysql_net_read_packet(handle_);
    if (stopped_.load(std::memory_order_acquire)) return stopped();
    if (size == packet_error)
      return failure(waits ? steady_clock::now() - since : steady_clock::duration::zero());
    const std::span<const unsigned char> packet(handle_->net.read_pos, size);
    const Peer& peer = connection_.impl().peer;
    if (packet.empty())
      return fatal(Errc::binlog_malformed,
                   peer.endpoint + ": an empty packet in the place of an event");
    if (packet[0] == kEventMark) {
      if (limit_ != silence_ && !is_head_of_file(packet.subspan(1))) {
        limit_ = silence_;
        set_read_timeout(handle_, limit_);
      }
      return std::as_bytes(packet.subspan(1));
    }
    if (packet[0] == kEofMark && size < kEofMaxSize)
      return retry(Errc::mysql_lost, peer.endpoint + ": the source ended the dump");
    return fatal(Errc::binlog_malformed, peer.endpoint + ": a packet that begins with " +
                                             std::to_string(packet[0]) +
                                             " in the place of an event");
  }

  Error failure(steady_clock::duration waited) {
    const Peer& peer = connection_.impl().peer;
    // The library reports a timeout as a lost connection; timers may be a little early.
    if (waited + kTimerSlack >= limit_)
      return retry(
          Errc::mysql_lost,
          peer.endpoint + ": silent for " +
              std::to_string(std::chrono::duration_cast<milliseconds>(waited).count()) + " ms, " +
              (limit_ == silence_ ? std::to_string(kMissedHeartbeats) + " heartbeats missed"
                                  : "while the server looks for our place in its binlog; a larger "
                                    "source.query_timeout gives it more time"));
    return stream_error_of(mysql_errno(handle_), mysql_error(handle_), peer, from_);
  }

  Connection connection_;
  MYSQL* handle_;  // connection_'s
  UniqueFd
      stop_fd_;  // the same socket, so that interrupt() needs nothing the reading thread changes
  std::atomic<bool> stopped_ = false;
  binlog::ChecksumAlg checksum_;
  std::string from_;
  milliseconds silence_;
  milliseconds limit_;  // silence_, or longer at the beginning
  Bytes first_;         // views into the client library's packet buffer
};

// Tells the server how to treat us: heartbeats, checksums, who we are.  Returns the checksum
// announced.
Result<binlog::ChecksumAlg> announce(Connection& connection, const SourceOptions& options,
                                     const ReplicaIdentity& identity) {
  SLUICE_TRY_ASSIGN(const auto checksum, connection.query_value("SELECT @@global.binlog_checksum"));
  const std::string name = checksum.value_or("NONE");
  if (name != "CRC32" && name != "NONE")
    return fatal(Errc::binlog_unsupported,
                 connection.impl().peer.endpoint + ": binlog_checksum is " + name +
                     ", CRC32 or NONE is needed; SET GLOBAL binlog_checksum = 'CRC32';");
  const std::string period = std::to_string(std::chrono::nanoseconds(options.heartbeat()).count());
  const std::string uuid = connection.quote(identity.uuid);
  const std::string value = connection.quote(name);
  // The names before and after MySQL 8.0.26; a server passes over those it does not know.
  std::string sql =
      "SET @master_heartbeat_period = " + period + ", @source_heartbeat_period = " + period +
      ", @master_binlog_checksum = " + value + ", @source_binlog_checksum = " + value +
      ", @slave_uuid = " + uuid + ", @replica_uuid = " + uuid;
  // 4: it understands everything, so events come as they are in the file.
  if (connection.server().flavor == Flavor::mariadb) sql += ", @mariadb_slave_capability = 4";
  SLUICE_TRY(connection.query(sql));
  // While RabbitMQ is away we stop reading: that must not end the connection after a minute.
  SLUICE_TRY(connection.query("SET SESSION net_write_timeout = 86400"));
  return name == "CRC32" ? binlog::ChecksumAlg::crc32 : binlog::ChecksumAlg::off;
}

// COM_REGISTER_SLAVE (mysql-server: sql/rpl_source.cc register_replica).
Status register_replica(Connection& connection, const ReplicaIdentity& identity) {
  MYSQL* const handle = connection.impl().handle.get();
  ByteWriter out;
  out.le<4>(identity.server_id)
      .short_string(listed_name(identity, connection.server().flavor))
      .short_string(
          "")  // user and password: for servers that show them, which is none of their business
      .short_string("")
      .le<2>(0)   // port
      .le<4>(0)   // rank, unused
      .le<4>(0);  // source id, filled in by the server
  if (handle->methods->db_command(handle, COM_REGISTER_SLAVE, out.str().data(), out.size(), 0,
                                  nullptr) != 0)
    return connection.impl().error();
  return {};
}

Status send_command(Connection& connection, enum_server_command command, const ByteWriter& out) {
  MYSQL* const handle = connection.impl().handle.get();
  // skip_check: the answer is the stream itself.
  if (handle->methods->db_command(handle, command, out.str().data(), out.size(), 1, nullptr) != 0)
    return connection.impl().error();
  return {};
}

std::uint16_t dump_flags(const ServerInfo& server) {
  if (server.flavor == Flavor::mariadb) return kSendAnnotateRows;
  return server.version_number >= kHeartbeatV2Version ? kUseHeartbeatV2 : 0;
}

Status request_dump(Connection& connection, const ReplicaIdentity& identity,
                    const BinlogPosition& from) {
  ByteWriter out;
  out.le<4>(std::max(from.pos, kFirstEvent))
      .le<2>(dump_flags(connection.server()))
      .le<4>(identity.server_id)
      .bytes(from.file);
  return send_command(connection, COM_BINLOG_DUMP, out);
}

// MySQL: COM_BINLOG_DUMP_GTID (mysql-server: sql/rpl_source.cc com_binlog_dump_gtid).  The file
// name and position in it are ignored by a server with gtid_mode = ON.
Status request_mysql_dump_behind(Connection& connection, const ReplicaIdentity& identity,
                                 const GtidSet& executed) {
  const MysqlGtidSet nothing;
  const std::string set =
      binlog::encode_gtid_set(executed.mysql() != nullptr ? *executed.mysql() : nothing);
  ByteWriter out;
  out.le<2>(dump_flags(connection.server()))
      .le<4>(identity.server_id)
      .le<4>(0)  // file name: none
      .le<8>(kFirstEvent)
      .le<4>(set.size())
      .bytes(set);
  return send_command(connection, kDumpGtid, out);
}

// MariaDB: the place comes as a variable (sql/sql_repl.cc get_slave_connect_state).  In strict mode
// a GTID that the binlog passes over is an error: a server that was set up from a backup has holes
// it does not know of otherwise.
Status request_mariadb_dump_behind(Connection& connection, const ReplicaIdentity& identity,
                                   const GtidSet& executed) {
  SLUICE_TRY(
      connection.query("SET @slave_connect_state = " + connection.quote(executed.to_string()) +
                       ", @slave_gtid_strict_mode = 1, @slave_gtid_ignore_duplicates = 0"));
  return request_dump(connection, identity, {"", kFirstEvent});
}

// Connected, announced and registered.
struct Replica {
  Connection connection;
  binlog::ChecksumAlg checksum;
};
Result<Replica> become_replica(const SourceOptions& options, const Endpoint& endpoint,
                               const ReplicaIdentity& identity) {
  SLUICE_TRY_ASSIGN(Connection connection, Connection::open(options, endpoint));
  SLUICE_TRY_ASSIGN(const binlog::ChecksumAlg checksum, announce(connection, options, identity));
  SLUICE_TRY(register_replica(connection, identity));
  connection.impl().handle->net.max_packet_size =
      std::numeric_limits<std::uint32_t>::max();  // one event may be that large
  return Replica{std::move(connection), checksum};
}

// The dump was asked for: waits for its first event.
Result<std::unique_ptr<binlog::EventSource>> begin_stream(Replica replica, std::string from,
                                                          const SourceOptions& options,
                                                          milliseconds search = {}) {
  auto stream =
      std::make_unique<DumpStream>(std::move(replica.connection), replica.checksum, std::move(from),
                                   kMissedHeartbeats * options.heartbeat(), search);
  SLUICE_TRY(stream->begin());
  return std::unique_ptr<binlog::EventSource>(std::move(stream));
}

}  // namespace

ReplicaIdentity derived_identity(std::string_view name, std::uint64_t salt) {
  const std::uint64_t a = xxh64(name, salt), b = xxh64(name, salt + 1);
  ReplicaIdentity id;
  id.server_id = static_cast<std::uint32_t>(0x40000000U | (a & 0x3FFFFFFFU));
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%08x-%04x-8%03x-a%03x-%012llx",
                static_cast<unsigned>(a >> 32), static_cast<unsigned>(a >> 16 & 0xFFFF),
                static_cast<unsigned>(a & 0xFFF), static_cast<unsigned>(b >> 52),
                static_cast<unsigned long long>(b & 0xFFFFFFFFFFFFULL));
  id.uuid = text.data();
  return id;
}

std::string replica_host_name(std::string_view host, const ReplicaIdentity& identity) {
  constexpr std::size_t kMaxHost = 40;  // MariaDB keeps 60 characters
  return std::string(host.substr(0, kMaxHost)) + replica_host_suffix(identity);
}

std::string replica_host_suffix(const ReplicaIdentity& identity) {
  return "/" + identity.uuid.substr(0, 13);
}

Result<std::unique_ptr<binlog::EventSource>> ReplicationStream::open(
    const SourceOptions& options, const Endpoint& endpoint, const ReplicaIdentity& identity,
    const BinlogPosition& from) {
  if (from.pos > kLargestDumpPosition)
    return fatal(
        Errc::binlog_unsupported,
        "a dump cannot begin at " + from.to_string() +
            ": the protocol's position has 32 bits, and this one lies beyond 4 GiB; begin at " +
            from.file +
            ":4 or at the next file, and keep files smaller (max_binlog_size, shorter "
            "transactions)");
  SLUICE_TRY_ASSIGN(Replica replica, become_replica(options, endpoint, identity));
  SLUICE_TRY(request_dump(replica.connection, identity, from));
  return begin_stream(std::move(replica), from.to_string(), options);
}

Result<std::unique_ptr<binlog::EventSource>> ReplicationStream::open_behind(
    const SourceOptions& options, const Endpoint& endpoint, const ReplicaIdentity& identity,
    const GtidSet& executed) {
  SLUICE_TRY_ASSIGN(Replica replica, become_replica(options, endpoint, identity));
  SLUICE_TRY(check_gtids(replica.connection, executed));
  if (replica.connection.server().flavor == Flavor::mariadb)
    SLUICE_TRY(request_mariadb_dump_behind(replica.connection, identity, executed));
  else
    SLUICE_TRY(request_mysql_dump_behind(replica.connection, identity, executed));
  return begin_stream(std::move(replica), "behind " + executed.to_string(), options,
                      options.query_timeout());
}

}  // namespace sluice::mysql
