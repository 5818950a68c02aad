#include "sluice/mysql/preflight.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mysql/client.h"
#include "mysql/privileges.h"
#include "mysql/replica_name.h"
#include "mysql/show_create.h"
#include "mysql/source_position.h"

namespace sluice::mysql {
namespace {

constexpr std::uint32_t kShowReplicasVersion = 80022;  // MySQL; SHOW SLAVE HOSTS before it

constexpr std::string_view kSettings =
    "'log_bin', 'server_id', 'binlog_format', 'binlog_row_image', 'binlog_row_metadata', "
    "'binlog_row_value_options', 'gtid_mode', 'innodb_native_foreign_keys'";
constexpr std::uint32_t kExpireSecondsVersion = 100601;  // MariaDB: binlog_expire_logs_seconds
constexpr std::size_t kMostNamed = 20;                   // foreign keys in one line

std::string global_and_file(const std::string& name, const std::string& value) {
  return "SET GLOBAL " + name + " = '" + value + "'; and " + name + " = " + value + " in my.cnf";
}

class Preflight {
 public:
  Preflight(Connection& connection, const SourceOptions& options, const ReplicaIdentity& identity,
            const std::optional<BinlogPosition>& from, const TableTest& takes)
      : connection_(connection),
        partial_images_(options.row_image() == SourceOptions::RowImage::any),
        on_purged_earliest_(options.on_purged() == SourceOptions::OnPurged::earliest),
        identity_(identity),
        from_(from),
        takes_(takes),
        mysql_(connection.server().flavor == Flavor::mysql) {}

  Result<std::vector<Finding>> run() {
    SLUICE_TRY(read_settings());
    check_server_ids();
    check_settings();
    SLUICE_TRY(check_privileges());
    if (setting("log_bin") == "ON") SLUICE_TRY(check_binlogs());
    SLUICE_TRY(check_replicas());
    SLUICE_TRY(check_foreign_keys());
    return std::move(findings_);
  }

 private:
  void add(bool is_fatal, std::string problem, std::string remedy) {
    findings_.push_back(Finding{is_fatal, std::move(problem), std::move(remedy)});
  }
  std::string setting(std::string_view name) const {
    const auto found = settings_.find(name);
    return found == settings_.end() ? std::string() : found->second;
  }
  std::string account() const { return "'" + connection_.impl().peer.user + "'@'%'"; }

  Status read_settings() {
    SLUICE_TRY_ASSIGN(const ResultRows rows,
                      connection_.query("SHOW GLOBAL VARIABLES WHERE Variable_name IN (" +
                                        std::string(kSettings) + ")"));
    for (const ResultRow& row : rows) settings_[row[0].value_or("")] = row[1].value_or("");
    return {};
  }

  void check_server_ids() {
    const std::string ours = std::to_string(identity_.server_id);
    if (identity_.server_id == 0)
      add(true, "our server_id is 0, which the source takes for no replica",
          "source.server_id: a number unique among its replicas");
    if (setting("server_id") == "0")
      add(true, "the source's own server_id is 0: it serves no replica",
          global_and_file("server_id", "1"));
    else if (setting("server_id") == ours)
      add(true, "our server_id " + ours + " is the source's own",
          "source.server_id: a number unique among the source and its replicas");
  }

  // The setting must be `wanted`; servers that lack it have nothing to say about it.
  void demand(const std::string& name, const std::string& wanted, bool is_fatal,
              std::string_view why) {
    const std::string value = setting(name);
    if (value.empty() || value == wanted) return;
    add(is_fatal, name + " is " + value + ": " + std::string(why), global_and_file(name, wanted));
  }

  void check_settings() {
    if (setting("log_bin") != "ON")
      add(true, "log_bin is OFF: there is no binlog to read",
          "log_bin = binlog in my.cnf, then restart the server");
    demand("binlog_format", "ROW", true,
           "rows are not in the binlog; sessions keep the old format until they connect again");
    // With whole images a JSON difference finds its document, too (binlog_row_value_options).
    demand("binlog_row_image", "FULL", !partial_images_,
           partial_images_ ? "rows lack columns, which source.row_image: any accepts"
                           : "rows lack columns");
    if (setting("binlog_row_image") != "FULL")
      demand("binlog_row_value_options", "", true,
             "a JSON difference needs the whole document before it, which these row images lack");
    demand("binlog_row_metadata", "FULL", false,
           "column names come from our schema history alone, and the binlog cannot heal it");
    if (const std::string mode = setting("gtid_mode"); !mode.empty() && mode != "ON")
      add(false,
          "gtid_mode is " + mode +
              ": messages carry no GTID, and another source cannot be followed",
          "gtid_mode = ON and enforce_gtid_consistency = ON in my.cnf");
    if (setting("binlog_row_metadata").empty())
      add(false,
          "this server cannot name columns in its binlog: names come from our schema history alone",
          "MySQL 8.0 or MariaDB 10.5 and later have binlog_row_metadata = FULL");
  }

  Status check_privileges() {
    SLUICE_TRY_ASSIGN(const Privileges privileges, read_privileges(connection_));
    std::string missing;
    const auto lacks = [&missing](const std::string& name) {
      missing += (missing.empty() ? "" : ", ") + name;
    };
    if (!privileges.has("SELECT") && !privileges.select_somewhere) lacks("SELECT");
    if (!privileges.has("REPLICATION SLAVE") && !privileges.has("REPLICATION REPLICA"))
      lacks("REPLICATION SLAVE");
    const bool monitor = privileges.has("REPLICATION CLIENT") || privileges.has("BINLOG MONITOR") ||
                         privileges.has("SUPER");
    if (!monitor) lacks(mysql_ ? "REPLICATION CLIENT" : "BINLOG MONITOR");
    may_see_binlogs_ = monitor;
    if (!missing.empty())
      add(true, "account " + connection_.impl().peer.user + " lacks " + missing,
          "GRANT " + missing + " ON *.* TO " + account() + ";");
    if (!privileges.has("SELECT") && privileges.select_somewhere)
      add(false,
          "account " + connection_.impl().peer.user +
              " has SELECT on some tables only: rows of others would stop us unless they are "
              "filtered out",
          "GRANT SELECT ON *.* TO " + account() + ";, or source filters for what it may read");
    return {};
  }

  Status check_binlogs() {
    if (!may_see_binlogs_) return {};
    SLUICE_TRY_ASSIGN(const auto status, read_binlog_status(connection_));
    if (status && !(status->do_db.empty() && status->ignore_db.empty()))
      add(false,
          "the source leaves databases out of its binlog (binlog_do_db " + status->do_db +
              ", binlog_ignore_db " + status->ignore_db + ")",
          "without these options in my.cnf, then restart the server");
    if (!from_) return {};
    SLUICE_TRY_ASSIGN(const auto files, read_binlog_files(connection_));
    const auto file = std::find_if(files.begin(), files.end(),
                                   [this](const BinlogFile& f) { return f.name == from_->file; });
    if (file == files.end())
      add_missing_file(files);
    else if (from_->pos > file->size)
      add(true,
          "position " + from_->to_string() + " lies beyond the end of the file (" +
              std::to_string(file->size) +
              " bytes): the source was reset or restored, or lost its tail in a crash",
          "load the data anew, then `sluice position reset --config FILE --yes`");
    return {};
  }

  void add_missing_file(const std::vector<BinlogFile>& files) {
    const std::string have =
        files.empty() ? "none" : files.front().name + " to " + files.back().name;
    const auto wanted = BinlogFileName::parse(from_->file);
    const auto newest = BinlogFileName::parse(files.empty() ? "" : files.back().name);
    if (wanted && newest && wanted->number > newest->number) {
      add(true,
          "binlog " + from_->file + " is not on the source, which has " + have +
              ": it was reset or restored, or is another server",
          "load the data anew, then `sluice position reset --config FILE --yes`; or point "
          "source.host back");
      return;
    }
    // The start says what is lost.
    if (on_purged_earliest_) return;
    add(true, "binlog " + from_->file + " is not on the source any more; it has " + have,
        "load the data anew, then `sluice position reset --config FILE --yes`; or set "
        "source.on_purged: earliest and lose the rows in between. Keep binlogs longer: SET "
        "GLOBAL " +
            std::string(mysql_ || connection_.server().version_number >= kExpireSecondsVersion
                            ? "binlog_expire_logs_seconds = 604800;"
                            : "expire_logs_days = 7;"));
  }

  // Other replicas with our server_id: the source would end one of the two connections again and
  // again.
  Status check_replicas() {
    const bool renamed = mysql_ && connection_.server().version_number >= kShowReplicasVersion;
    auto rows = connection_.query(renamed ? "SHOW REPLICAS" : "SHOW SLAVE HOSTS");
    if (!rows) {
      if (rows.error().code == Errc::mysql_denied)
        return {};  // not ours to see: MariaDB wants REPLICATION MASTER ADMIN
      return std::move(rows).error();
    }
    const std::string ours = std::to_string(identity_.server_id);
    for (const ResultRow& row : *rows) {
      if (row.size() < 4 || row[0] != ours || is_us(row)) continue;
      add(true,
          "server_id " + ours + " is taken by another replica (host " + row[1].value_or("") + ")",
          "source.server_id: a number unique among the source and its replicas");
    }
    return {};
  }

  // InnoDB changes the rows of a child table by itself and logs nothing of it.  MySQL 9.7 has the
  // server do it, which logs it, unless it is told not to.
  Status check_foreign_keys() {
    if (setting("innodb_native_foreign_keys") == "OFF") return {};
    // MariaDB shows REFERENTIAL_CONSTRAINTS to accounts that may do more than SELECT.
    SLUICE_TRY_ASSIGN(const ResultRows rows,
                      connection_.query("SELECT DISTINCT TABLE_SCHEMA, TABLE_NAME FROM "
                                        "information_schema.KEY_COLUMN_USAGE WHERE "
                                        "REFERENCED_TABLE_NAME IS NOT NULL ORDER BY 1, 2"));
    std::string named;
    std::size_t count = 0;
    for (const ResultRow& row : rows) {
      const std::string database = row[0].value_or(""), table = row[1].value_or("");
      if (!takes_(database, table)) continue;
      const auto shown =
          connection_.query("SHOW CREATE TABLE " + quote_name(database) + "." + quote_name(table));
      if (!shown && shown.error().cls == ErrorClass::retry) return shown.error();
      if (!shown || shown->empty() || shown->front().size() < 2) continue;  // dropped since
      for (const ActingForeignKey& key : acting_foreign_keys(shown->front()[1].value_or("")))
        if (++count <= kMostNamed)
          named.append(named.empty() ? "" : ", ")
              .append(database)
              .append(".")
              .append(table)
              .append(" (")
              .append(key.name)
              .append(" ")
              .append(key.actions)
              .append(")");
    }
    if (count == 0) return {};
    if (count > kMostNamed) named += " and " + std::to_string(count - kMostNamed) + " more";
    add(false,
        "InnoDB changes rows for foreign keys without writing them to the binlog, so these changes "
        "do not arrive: " +
            named,
        "change such rows by statements of their own, with ON DELETE and ON UPDATE RESTRICT");
    return {};
  }

  // An earlier connection of ours may still be listed.  Server_id, Host, Port, Source_id and, on
  // MySQL, uuid.
  bool is_us(const ResultRow& row) const {
    if (mysql_) return row.size() > 4 && row[4] == identity_.uuid;
    const std::string suffix = replica_host_suffix(identity_);
    const std::string host = row[1].value_or("");
    return host.size() >= suffix.size() &&
           host.compare(host.size() - suffix.size(), suffix.size(), suffix) == 0;
  }

  Connection& connection_;
  bool partial_images_;
  bool on_purged_earliest_;
  const ReplicaIdentity& identity_;
  const std::optional<BinlogPosition>& from_;
  const TableTest& takes_;
  bool mysql_;
  bool may_see_binlogs_ = false;
  std::map<std::string, std::string, std::less<>> settings_;
  std::vector<Finding> findings_;
};

}  // namespace

Result<std::vector<Finding>> preflight(Connection& connection, const SourceOptions& options,
                                       const ReplicaIdentity& identity,
                                       const std::optional<BinlogPosition>& from,
                                       const TableTest& takes) {
  return Preflight(connection, options, identity, from, takes).run();
}

}  // namespace sluice::mysql
