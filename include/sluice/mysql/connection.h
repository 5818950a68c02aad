#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/config/options.h"
#include "sluice/model/flavor.h"
#include "sluice/mysql/hosts.h"

namespace sluice::mysql {

// What the server says of itself at the handshake.
struct ServerInfo {
  Flavor flavor = Flavor::mysql;
  std::string version;               // "10.11.19-MariaDB-log", "9.7.4": without MariaDB's "5.5.5-"
  std::uint32_t version_number = 0;  // 101119, 90704
};

// Rows of a text-protocol result; nullopt is NULL.
using ResultRow = std::vector<std::optional<std::string>>;
using ResultRows = std::vector<ResultRow>;

// Rows whose columns differ from version to version, to be asked for by name.
struct ResultTable {
  std::vector<std::string> columns;
  ResultRows rows;
  // Nullopt for NULL and for a column that is not there.
  std::optional<std::string> value(const ResultRow& row, std::string_view column) const;
};

// One client connection.  Belongs to one thread.  Closed by its destructor.
class Connection final {
 public:
  // Connects, authenticates, does TLS as the options say.  Session: utf8mb4, time_zone +00:00,
  // sql_mode ''. Errors: retry/mysql_lost (nobody answers, timeout), fatal/mysql_denied (account),
  // fatal/mysql_preflight (TLS cannot be had as required); all name host and port, or the socket.
  static Result<Connection> open(const SourceOptions& options, const Endpoint& endpoint);
  // To the first of the options' servers that answers.
  static Result<Connection> open(const SourceOptions& options);
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // Runs one statement.  Errors: retry/mysql_lost, fatal/mysql_denied, fatal/mysql_query with the
  // server's number and text.
  Result<ResultRows> query(std::string_view sql);
  Result<ResultTable> query_table(std::string_view sql);
  // First column of the first row; nullopt when there is no row or it is NULL.
  Result<std::optional<std::string>> query_value(std::string_view sql);
  // Runs many statements in few round trips; each has an answer of its own, in their order.  Errors
  // of the whole: retry/mysql_lost.
  Result<std::vector<Result<ResultRows>>> query_each(const std::vector<std::string>& statements);
  // Text as a quoted SQL literal.
  std::string quote(std::string_view text);
  const ServerInfo& server() const noexcept;
  const Endpoint& endpoint() const noexcept;

  struct Impl;
  Impl& impl() noexcept { return *impl_; }  // for this room

 private:
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// A name in backticks.
std::string quote_name(std::string_view name);

}  // namespace sluice::mysql
