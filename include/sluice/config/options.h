#pragma once
// Every option of the program, declared once: name, default, bounds, sentence.
// config/sluice.example.yaml and docs/configuration.md are generated from these lines.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/config/option.h"
#include "sluice/config/table_options.h"

namespace sluice {

struct TlsOptions : Section {
  enum class Mode : std::uint8_t { disabled, preferred, required, verify_ca, verify_identity };
  friend config::Names option_names(Mode) {
    static constexpr std::array<std::string_view, 5> kNames{"disabled", "preferred", "required",
                                                            "verify_ca", "verify_identity"};
    return kNames;
  }
  // `by_default`: preferred only where the protocol can ask the peer whether it has TLS.
  TlsOptions(Section* parent, std::string_view name, std::string_view doc,
             Mode by_default = Mode::preferred)
      : Section(parent, name, doc),
        mode(this, "mode", by_default,
             by_default == Mode::preferred
                 ? "disabled, preferred, required (encrypted, peer not checked), verify_ca, "
                   "verify_identity."
                 : "disabled, required (encrypted, peer not checked), verify_ca, "
                   "verify_identity."),
        ca(this, "ca", "",
           "File with the certificates that the peer's must be signed by; empty: the system's."),
        cert(this, "cert", "", "Our certificate, when the peer asks for one."),
        key(this, "key", "", "Our certificate's private key.") {}
  Option<Mode> mode;
  Option<std::string> ca, cert, key;
};

struct SourceOptions : Section {
  using Section::Section;
  Option<std::string> host{this, "host", "127.0.0.1", "MySQL or MariaDB server to replicate from."};
  Option<std::uint32_t> port{this, "port", 3306, Range<std::uint32_t>{1, 65535}, "TCP port."};
  Option<std::vector<HostPort>> hosts{
      this,
      "hosts",
      {},
      "Primary and standbys (HOST or HOST:PORT), instead of host: when the one that is followed is "
      "gone for longer than failover_after, the next one is, behind the last transaction read."};
  Option<Duration> failover_after{
      this, "failover_after", Duration{30s}, Range<Duration>{1s, 1h},
      "How long the server that is followed may be away before another one of hosts is taken."};
  Option<Duration> failover_margin{
      this, "failover_margin", Duration{60s}, Range<Duration>{0ms, 24h},
      "Without GTIDs: how long before the last transaction read the next server's binlog is "
      "searched for it. When it is not found there, rows of that time are sent again."};
  Option<std::string> socket{this, "socket", "",
                             "Unix socket; when set, host, port and hosts are not used."};
  Option<std::string> user{this, "user", "sluice",
                           "Account with SELECT, REPLICATION SLAVE and REPLICATION CLIENT."};
  Option<Secret> password{this, "password", Secret{},
                          "Its password; better ${ENV} or password_file."};
  TlsOptions tls{this, "tls", "Encryption of the connection."};
  Option<Duration> connect_timeout{this, "connect_timeout", Duration{10s},
                                   Range<Duration>{100ms, 10min},
                                   "Longest wait for the server to answer a connection attempt."};
  Option<Duration> query_timeout{this, "query_timeout", Duration{60s}, Range<Duration>{1s, 1h},
                                 "Longest wait for the answer to a metadata query."};
  Option<Duration> heartbeat{this, "heartbeat", Duration{5s}, Range<Duration>{100ms, 10min},
                             "An idle source sends a heartbeat this often; after three missed ones "
                             "the connection counts as dead."};
  Option<std::uint32_t> server_id{this, "server_id", 0, Range<std::uint32_t>{0, 4294967295},
                                  "Our id among the source's replicas, unique there; 0: derived "
                                  "from the instance's name and host."};
  enum class RowImage : std::uint8_t { full, any };
  friend config::Names option_names(RowImage) {
    static constexpr std::array<std::string_view, 2> kNames{"full", "any"};
    return kNames;
  }
  Option<RowImage> row_image{
      this, "row_image", RowImage::full,
      "full: a source whose binlog_row_image is not FULL is refused. any: taken as it is (MINIMAL, "
      "NOBLOB, FULL_NODUP); messages and hashes then have only the columns a change carries: an "
      "insert's defaults and, when a key changes, what did not change are missing."};
  Option<StartPosition> start{this, "start", StartPosition{},
                              "Where the very first start begins, when there is no state file "
                              "(and where `sluice position reset` goes): latest, earliest, {file: "
                              "F, pos: N}, {gtid: SET} (behind that set) or {timestamp: T} (the "
                              "first transaction committed at T or later; \"2026-01-31 12:00:00\" "
                              "in UTC, or seconds since 1970)."};
  enum class OnPurged : std::uint8_t { fail, earliest };
  friend config::Names option_names(OnPurged) {
    static constexpr std::array<std::string_view, 2> kNames{"fail", "earliest"};
    return kNames;
  }
  Option<OnPurged> on_purged{
      this, "on_purged", OnPurged::fail,
      "When the source no longer has the binlog we would go on in: fail, or earliest (go on at the "
      "oldest place it has; the rows in between are lost, and an error line says which)."};
  Option<Duration> reconnect_max{
      this, "reconnect_max", Duration{30s}, Range<Duration>{100ms, 1h},
      "Longest pause between two attempts to reconnect; the first comes after about 100 ms."};
  Option<std::uint32_t> decode_threads{
      this, "decode_threads", 0, Range<std::uint32_t>{0, 64},
      "Threads that decode rows and make messages of them beside the one that reads the source; "
      "order is kept. Of use where large transactions keep that one busy; what they work on takes "
      "up "
      "to limits.transaction_hold of memory beside it. 0: it does all itself."};
};

struct PositionOptions : Section {
  using Section::Section;
  enum class Mirror : std::uint8_t { none, redis };
  friend config::Names option_names(Mirror) {
    static constexpr std::array<std::string_view, 2> kNames{"none", "redis"};
    return kNames;
  }
  Option<Mirror> mirror{this, "mirror", Mirror::none,
                        "Where position and schema history have a copy, so that a publisher on "
                        "another host takes over without this state_dir: redis, or none."};
};

struct SchemaOptions : Section {
  using Section::Section;
  Option<bool> assume_current{
      this, "assume_current", false,
      "When nothing tells what a table's columns were at a place of the binlog that does not name "
      "them: take the table as it is now, where it fits. Names are wrong if columns were renamed "
      "or "
      "exchanged since."};
  Option<Duration> keep{
      this, "keep", Duration{168h}, Range<Duration>{Duration{0ms}, 8760h},
      "How far back the schema history (schema.log) reaches at least, for a state "
      "folder that is put back from a backup."};
};

struct QueueOptions : Section {
  using Section::Section;
  enum class Type : std::uint8_t { quorum, classic, existing };
  friend config::Names option_names(Type) {
    static constexpr std::array<std::string_view, 3> kNames{"quorum", "classic", "existing"};
    return kNames;
  }
  enum class Compression : std::uint8_t { none, zstd };
  friend config::Names option_names(Compression) {
    static constexpr std::array<std::string_view, 2> kNames{"none", "zstd"};
    return kNames;
  }
  enum class Oversize : std::uint8_t { stop, dead_letter, null_column };
  friend config::Names option_names(Oversize) {
    static constexpr std::array<std::string_view, 3> kNames{"stop", "dead_letter", "null_column"};
    return kNames;
  }
  Option<std::string> host{this, "host", "127.0.0.1", "RabbitMQ server."};
  Option<std::uint32_t> port{this, "port", 5672, Range<std::uint32_t>{1, 65535},
                             "AMQP port; with TLS mostly 5671."};
  Option<std::vector<HostPort>> hosts{
      this,
      "hosts",
      {},
      "Brokers of one cluster (HOST or HOST:PORT), instead of host: each connection takes one of "
      "them, in random order, and another one first when it is lost."};
  Option<std::string> vhost{this, "vhost", "/", "Virtual host."};
  Option<std::string> user{this, "user", "guest",
                           "User with configure, write and read permission on sluice.INSTANCE.*."};
  Option<Secret> password{this, "password", Secret{"guest"},
                          "Its password; better ${ENV} or password_file."};
  TlsOptions tls{this, "tls", "Encryption of the connections.", TlsOptions::Mode::disabled};
  Option<Type> type{this, "type", Type::quorum,
                    "Type of the queues that are declared: quorum or classic; existing: nothing is "
                    "declared, exchange, queues and bindings must be there (docs/operate.md)."};
  Option<ByteSize> max_length_bytes{
      this, "max_length_bytes", ByteSize{0}, Range<ByteSize>{ByteSize{0}, ByteSize{1048576_MiB}},
      "Message bytes a partition queue holds at most; a full one refuses what comes, and reading "
      "from the source pauses until it is consumed. 0: no limit. Queues that are there keep what "
      "they were declared with."};
  Option<std::uint32_t> partitions{
      this, "partitions", 16, Range<std::uint32_t>{1, 1024},
      "Number of partition queues at the first start; rows of one key always go through one of "
      "them. Later `sluice repartition N` changes it, and the number in use is that of the state "
      "file."};
  Option<ByteSize> message_bytes{
      this, "message_bytes", ByteSize{2_MiB}, Range<ByteSize>{ByteSize{1_KiB}, ByteSize{8_MiB}},
      "A message is closed when its body reaches this size; one row may exceed it."};
  Option<ByteSize> max_message_bytes{
      this, "max_message_bytes", ByteSize{16_MiB},
      Range<ByteSize>{ByteSize{64_KiB}, ByteSize{512_MiB}},
      "No message body becomes larger than this, before compression; at most max_message_size of "
      "rabbitmq.conf, which is 16 MiB in RabbitMQ 4 and 128 MiB in 3.10 unless set."};
  Option<Oversize> oversize{
      this, "oversize", Oversize::stop,
      "What becomes of a row that is larger: stop, dead_letter (its key goes to queue "
      "sluice.INSTANCE.dead, all others are sent), or null_column (its largest values are left "
      "out until it fits; the line says which)."};
  Option<ByteSize> prefetch_bytes{this, "prefetch_bytes", ByteSize{16_MiB},
                                  Range<ByteSize>{ByteSize{1_MiB}, ByteSize{1024_MiB}},
                                  "Unapplied message bytes an applier thread may hold, at the "
                                  "least two messages of each of its "
                                  "partitions; prefetch counts are derived from it."};
  Option<Compression> compression{
      this, "compression", Compression::none,
      "Message bodies as they are (none), or compressed (zstd: smaller by far, for some processor "
      "time on both sides). What is read is told by each message, so it may be changed at any "
      "time."};
  Option<ByteSize> frame_max{
      this, "frame_max", ByteSize{128_KiB}, Range<ByteSize>{ByteSize{8_KiB}, ByteSize{16_MiB}},
      "Largest AMQP frame; the broker's own limit (frame_max in rabbitmq.conf) is the lower one "
      "mostly."};
  Option<std::uint32_t> channel_max{
      this, "channel_max", 2047, Range<std::uint32_t>{1, 65535},
      "Most channels of a connection; the broker's own limit (channel_max in rabbitmq.conf) counts "
      "when it is lower. An applier thread takes one for each of its partitions."};
  Option<bool> publish_ddl{
      this, "publish_ddl", false,
      "Statements that change tables that are taken go to queue sluice.INSTANCE.ddl, as lines of "
      "their own (docs/format.md), for others to consume."};
  Option<Duration> connect_timeout{
      this, "connect_timeout", Duration{10s}, Range<Duration>{100ms, 10min},
      "Longest wait for a broker to answer a connection attempt or a request."};
  Option<Duration> heartbeat{this, "heartbeat", Duration{10s}, Range<Duration>{1s, 10min},
                             "AMQP heartbeat."};
  Option<Duration> reconnect_max{this, "reconnect_max", Duration{30s}, Range<Duration>{100ms, 1h},
                                 "Longest pause between two attempts to reconnect."};
};

struct RedisOptions : Section {
  using Section::Section;
  Option<std::string> host{this, "host", "127.0.0.1", "Redis server."};
  Option<std::uint32_t> port{this, "port", 6379, Range<std::uint32_t>{1, 65535}, "TCP port."};
  Option<std::string> socket{this, "socket", "",
                             "Unix socket; when set, host and port are not used."};
  Option<std::vector<HostPort>> cluster{
      this,
      "cluster",
      {},
      "Nodes of a Redis Cluster (HOST or HOST:PORT, 6379 unless said), instead of host: any of "
      "them "
      "tells who the others are. What is promised there is less (docs/operate.md)."};
  Option<std::vector<HostPort>> sentinels{
      this,
      "sentinels",
      {},
      "Sentinels (HOST or HOST:PORT, 26379 unless said), instead of host: each connection goes to "
      "the master that they name at the moment, and is given up when they name another one."};
  Option<std::string> sentinel_master{this, "sentinel_master", "",
                                      "The name by which the Sentinels know the master."};
  Option<std::string> sentinel_user{this, "sentinel_user", "",
                                    "ACL user at the Sentinels; empty: the default user."};
  Option<Secret> sentinel_password{this, "sentinel_password", Secret{},
                                   "Password at the Sentinels; better ${ENV} or "
                                   "sentinel_password_file."};
  Option<std::uint32_t> database{this, "database", 0, Range<std::uint32_t>{0, 65535},
                                 "Database number."};
  Option<std::string> user{this, "user", "", "ACL user; empty: the default user."};
  Option<Secret> password{this, "password", Secret{}, "Password; better ${ENV} or password_file."};
  TlsOptions tls{this, "tls", "Encryption of the connections, also of those to Sentinels.",
                 TlsOptions::Mode::disabled};
  Option<Duration> connect_timeout{this, "connect_timeout", Duration{5s},
                                   Range<Duration>{100ms, 10min},
                                   "Longest wait for the server to answer a connection attempt."};
  Option<Duration> timeout{this, "timeout", Duration{30s}, Range<Duration>{100ms, 10min},
                           "Longest wait for a reply."};
  Option<Duration> reconnect_max{this, "reconnect_max", Duration{10s}, Range<Duration>{100ms, 1h},
                                 "Longest pause between two attempts to reconnect."};
  Option<std::uint32_t> wait_replicas{
      this, "wait_replicas", 0, Range<std::uint32_t>{0, 100},
      "So many replicas must have a message's rows before it is acknowledged (WAIT), so that they "
      "survive the loss of the master."};
  Option<Duration> wait_timeout{this, "wait_timeout", Duration{1s}, Range<Duration>{10ms, 1min},
                                "How long Redis waits for them before it is asked again."};
  Option<bool> wait_aof{
      this, "wait_aof", false,
      "Master and replicas must have them in the append-only file on disk (WAITAOF 1 "
      "wait_replicas): Redis 7.2 or later, with appendonly yes."};
  Option<bool> is_cache{
      this, "is_cache", false,
      "Accept a server with an allkeys-* eviction policy, which may evict our position records."};
};

struct ApplierOptions : Section {
  using Section::Section;
  enum class OnTruncate : std::uint8_t { stop, ignore, empty };
  friend config::Names option_names(OnTruncate) {
    static constexpr std::array<std::string_view, 3> kNames{"stop", "ignore", "empty"};
    return kNames;
  }
  enum class OnContentDdl : std::uint8_t { warn, stop };
  friend config::Names option_names(OnContentDdl) {
    static constexpr std::array<std::string_view, 2> kNames{"warn", "stop"};
    return kNames;
  }
  enum class OnRewind : std::uint8_t { rewind, stop };
  friend config::Names option_names(OnRewind) {
    static constexpr std::array<std::string_view, 2> kNames{"rewind", "stop"};
    return kNames;
  }
  enum class OnRefused : std::uint8_t { dead_letter, stop, ignore };
  friend config::Names option_names(OnRefused) {
    static constexpr std::array<std::string_view, 3> kNames{"dead_letter", "stop", "ignore"};
    return kNames;
  }
  Option<std::uint32_t> min{this, "min", 2, Range<std::uint32_t>{1, 256},
                            "Applier threads there are at least; each has a connection to the "
                            "broker and one to Redis, and serves a share of the partitions."};
  Option<std::uint32_t> max{
      this, "max", 8, Range<std::uint32_t>{1, 256},
      "Applier threads there are at most; more than queue.partitions never are."};
  Option<std::uint32_t> grow_backlog{
      this, "grow_backlog", 64, Range<std::uint32_t>{1, 1000000},
      "Messages waiting in the queues above which there is too much for the threads there are."};
  Option<Duration> grow_lag{
      this, "grow_lag", Duration{5s}, Range<Duration>{1s, 24h},
      "How much later the last commit read may be than the last one known to be in Redis."};
  Option<Duration> grow_after{
      this, "grow_after", Duration{5s}, Range<Duration>{1s, 1h},
      "After so long above grow_backlog or grow_lag the threads are doubled, up to max."};
  Option<Duration> shrink_after{
      this, "shrink_after", Duration{1min}, Range<Duration>{1s, 24h},
      "After so long below a quarter of both one thread is taken away, down to min."};
  Option<OnTruncate> on_truncate{this, "on_truncate", OnTruncate::stop,
                                 "TRUNCATE or DROP of a replicated table: stop, ignore (its keys "
                                 "stay in Redis), or empty (what "
                                 "its mappings wrote is removed, docs/mapping.md)."};
  Option<OnContentDdl> on_content_ddl{
      this, "on_content_ddl", OnContentDdl::warn,
      "DDL that changes rows without row events (a column added with a default, dropped, renamed "
      "or "
      "converted, a partition dropped, a table renamed), so that Redis keeps what it has: warn, or "
      "stop."};
  Option<OnRefused> on_refused{
      this, "on_refused", OnRefused::dead_letter,
      "A row that Redis refuses for good (WRONGTYPE), or a message that cannot be read: "
      "dead_letter "
      "(it goes to queue sluice.INSTANCE.dead, all others are applied), stop (the whole message is "
      "applied anew at each start, so mappings that count need allow_inexact: true), or ignore (it "
      "is counted, and lost)."};
  Option<Duration> gap_patience{
      this, "gap_patience", Duration{10s}, Range<Duration>{1s, 10min},
      "How long a hole in the chain of messages is looked at anew before it counts as a gap."};
  Option<OnRewind> on_rewind{
      this, "on_rewind", OnRewind::rewind,
      "A gap, because Redis came back older (failover, a restored copy) or messages are gone: "
      "rewind (what is missing is read from the source again), or stop."};
  Option<Duration> stall_after{
      this, "stall_after", Duration{1min}, Range<Duration>{1s, 20min},
      "After so long without an answer from Redis, or from the broker to a dead letter, the "
      "messages "
      "an applier thread holds go back to their queues, until the other side answers again. Has to "
      "be below the broker's consumer_timeout (30 minutes mostly)."};
};

struct RenderingOptions : Section {
  using Section::Section;
  enum class Invalid : std::uint8_t { stop, replace };
  friend config::Names option_names(Invalid) {
    static constexpr std::array<std::string_view, 2> kNames{"stop", "replace"};
    return kNames;
  }
  enum class Binary : std::uint8_t { latin1, base64 };
  friend config::Names option_names(Binary) {
    static constexpr std::array<std::string_view, 2> kNames{"latin1", "base64"};
    return kNames;
  }
  Option<TimeZoneOffset> time_zone{this, "time_zone", TimeZoneOffset{},
                                   "Zone of TIMESTAMP values: a fixed offset such as +00:00."};
  Option<Invalid> invalid_text{this, "invalid_text", Invalid::stop,
                               "Bytes that are no text in the column's character set: stop, or "
                               "replace each by U+FFFD (never in keys)."};
  Option<Binary> binary{this, "binary", Binary::latin1,
                        "BINARY and BLOB in messages: latin1 (bytes as U+0000..U+00FF) or base64."};
};

struct LimitOptions : Section {
  using Section::Section;
  Option<ByteSize> transaction_hold{
      this, "transaction_hold", ByteSize{8_MiB},
      Range<ByteSize>{ByteSize{64_KiB}, ByteSize{1024_MiB}},
      "Rows of a transaction are held back until its end up to this size, then streamed. Those of "
      "XA "
      "transactions wait in memory up to this size, then in files of state_dir/xa."};
  Option<ByteSize> inflated_transaction{
      this, "inflated_transaction", ByteSize{16384_MiB},
      Range<ByteSize>{ByteSize{0_MiB}, ByteSize{16777216_MiB}},
      "Largest size a compressed transaction (MySQL's binlog_transaction_compression) may inflate "
      "to; it is never held whole; 0: no limit."};
  Option<ByteSize> in_flight{
      this, "in_flight", ByteSize{48_MiB}, Range<ByteSize>{ByteSize{1_MiB}, ByteSize{4096_MiB}},
      "Message bytes waiting for the broker's confirm; above it reading from the source pauses."};
  Option<Duration> save_interval{this, "save_interval", Duration{1s}, Range<Duration>{100ms, 1min},
                                 "How often the state file is written at most."};
  Option<ByteSize> script_memory{
      this, "script_memory", ByteSize{64_MiB}, Range<ByteSize>{ByteSize{1_MiB}, ByteSize{4096_MiB}},
      "Memory that a script of tables may take, in each applier thread, and most bytes of commands "
      "that it may write for one row."};
  Option<std::uint32_t> script_instructions{this, "script_instructions", 10000000,
                                            Range<std::uint32_t>{1000, 4000000000},
                                            "Instructions that a script may take for one row."};
  Option<Duration> script_time{
      this, "script_time", Duration{5s}, Range<Duration>{10ms, 10min},
      "How long a script may work on one row, however few instructions it takes."};
  Option<Duration> drain{this, "drain", Duration{20s}, Range<Duration>{1s, 10min},
                         "On SIGTERM: how long confirms are waited for before the process ends all "
                         "the same (nothing is lost, some rows are sent again)."};
};

struct LogOptions : Section {
  using Section::Section;
  enum class Format : std::uint8_t { text, json };
  friend config::Names option_names(Format) {
    static constexpr std::array<std::string_view, 2> kNames{"text", "json"};
    return kNames;
  }
  enum class Level : std::uint8_t { trace, debug, info, warn, error };
  friend config::Names option_names(Level) {
    static constexpr std::array<std::string_view, 5> kNames{"trace", "debug", "info", "warn",
                                                            "error"};
    return kNames;
  }
  Option<Format> format{this, "format", Format::text, "text or json."};
  Option<Level> level{this, "level", Level::info, "trace, debug, info, warn or error."};
  Option<std::string> file{this, "file", "", "Log file, rotated; empty: stderr."};
  Option<ByteSize> rotate_bytes{this, "rotate_bytes", ByteSize{64_MiB},
                                Range<ByteSize>{ByteSize{64_KiB}, ByteSize{4096_MiB}},
                                "Size at which the log file is rotated."};
  Option<std::uint32_t> rotate_keep{this, "rotate_keep", 5, Range<std::uint32_t>{1, 1000},
                                    "Rotated log files kept."};
  Option<Duration> status_interval{this, "status_interval", Duration{10s},
                                   Range<Duration>{100ms, 1h},
                                   "How often the status line is written."};
};

// The whole configuration.
struct Options : Section {
  Options() = default;
  enum class Role : std::uint8_t { all, publisher, applier };
  friend config::Names option_names(Role) {
    static constexpr std::array<std::string_view, 3> kNames{"all", "publisher", "applier"};
    return kNames;
  }
  Option<std::string> instance{
      this, "instance", "main",
      "Name of this pipeline: letters, digits, - and _; in queue names and Redis keys."};
  Option<Role> role{
      this, "role", Role::all,
      "What this process does: publisher (source to queues; of several one publishes, the others "
      "stand by), applier (queues to Redis, beside those on other hosts; needs no source and no "
      "state_dir), or all (both)."};
  Option<std::string> state_dir{
      this, "state_dir", "/var/lib/sluice/main",
      "Folder of the position (state.json) and the schema history (schema.log); "
      "one process at a time."};
  PositionOptions position{this, "position", "The position beside state_dir."};
  SourceOptions source{this, "source", "Where rows come from."};
  FilterOptions filter{this, "filter", "Which tables are taken."};
  SectionList<TableOptions> tables{this, "tables", "Rules for single tables."};
  SchemaOptions schema{this, "schema", "What tables were like at each place of the binlog."};
  QueueOptions queue{this, "queue", "The buffer between source and Redis."};
  RedisOptions redis{this, "redis", "Where rows go to."};
  ApplierOptions applier{this, "applier", "The threads that write to Redis."};
  RenderingOptions rendering{this, "rendering", "How values are written."};
  LimitOptions limits{this, "limits", "Memory and time."};
  LogOptions log{this, "log", "What is said, and where."};
};

}  // namespace sluice
