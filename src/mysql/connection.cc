#include "sluice/mysql/connection.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/base/result.h"

#include "mysql/client.h"

namespace sluice::mysql {
namespace {

constexpr std::uint32_t kGipkVersion = 80030;  // MySQL: generated invisible primary keys

// mysql_init() does this by itself, but not safely from two threads.
bool library_ready() {
  static const bool ready = mysql_library_init(0, nullptr, nullptr) == 0;
  return ready;
}

// "10.11.19-MariaDB" -> 101119
std::uint32_t version_number(std::string_view text) {
  std::array<std::uint32_t, 3> part{};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::uint32_t& p : part) {
    const auto [next, err] = std::from_chars(at, end, p);
    if (err != std::errc{}) break;
    at = next;
    if (at == end || *at != '.') break;
    ++at;
  }
  return part[0] * 10000 + part[1] * 100 + part[2];
}

bool mentions_mariadb(std::string_view text) {
  return text.find("MariaDB") != std::string_view::npos ||
         text.find("mariadb") != std::string_view::npos;
}

ServerInfo describe(MYSQL* handle) {
  constexpr std::string_view kReplicationPrefix =
      "5.5.5-";  // what MariaDB says for old replicas' sake
  ServerInfo info;
  std::string_view version = mysql_get_server_info(handle);
  // The capability bit is clear in MariaDB since 10.2; builds of vendors may leave the name out.
  const bool mariadb =
      mentions_mariadb(version) || (handle->server_capabilities & CLIENT_MYSQL) == 0;
  if (version.substr(0, kReplicationPrefix.size()) == kReplicationPrefix)
    version.remove_prefix(kReplicationPrefix.size());
  info.flavor = mariadb ? Flavor::mariadb : Flavor::mysql;
  info.version = version;
  info.version_number = version_number(version);
  return info;
}

void set_options(MYSQL* handle, const SourceOptions& options) {
  const unsigned connect = whole_seconds(options.connect_timeout());
  const unsigned query = whole_seconds(options.query_timeout());
  const unsigned protocol = options.socket().empty() ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET;
  const unsigned no_local_files = 0;  // a server may ask for any file of ours otherwise
  mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
  mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &query);
  mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &query);
  mysql_options(handle, MYSQL_OPT_PROTOCOL, &protocol);
  mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &no_local_files);
  mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_options4(handle, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "sluice");
}

// The answer to the statement that was run last.
Result<ResultTable> stored_table(Connection::Impl& impl) {
  MYSQL* const handle = impl.handle.get();
  struct FreeResult {
    void operator()(MYSQL_RES* result) const noexcept { mysql_free_result(result); }
  };
  const std::unique_ptr<MYSQL_RES, FreeResult> result(mysql_store_result(handle));
  ResultTable table;
  if (result == nullptr) {
    if (mysql_errno(handle) != 0) return impl.error();
    return table;  // a statement without a result
  }
  const unsigned columns = mysql_num_fields(result.get());
  while (const MYSQL_FIELD* field = mysql_fetch_field(result.get()))
    table.columns.emplace_back(field->name, field->name_length);
  while (MYSQL_ROW row = mysql_fetch_row(result.get())) {
    const unsigned long* const lengths = mysql_fetch_lengths(result.get());
    ResultRow& out = table.rows.emplace_back();
    out.reserve(columns);
    for (unsigned i = 0; i < columns; ++i) {
      if (row[i] == nullptr)
        out.emplace_back(std::nullopt);
      else
        out.emplace_back(std::string(row[i], lengths[i]));
    }
  }
  return table;
}

}  // namespace

unsigned whole_seconds(std::chrono::milliseconds time) noexcept {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(time).count();
  return seconds < 1 ? 1U : static_cast<unsigned>(seconds);
}

Result<Connection> Connection::open(const SourceOptions& options) {
  std::optional<Error> first;
  for (const Endpoint& endpoint : endpoints_of(options)) {
    auto opened = open(options, endpoint);
    if (opened.ok() || opened.error().cls != ErrorClass::retry) return opened;
    if (!first) first = std::move(opened).error();
  }
  return std::move(*first);  // there is at least one endpoint
}

Result<Connection> Connection::open(const SourceOptions& options, const Endpoint& endpoint) {
  auto impl = std::make_unique<Impl>();
  impl->endpoint = endpoint;
  impl->peer = Peer{endpoint.to_string(), options.user()};
  if (library_ready()) impl->handle.reset(mysql_init(nullptr));
  MYSQL* const handle = impl->handle.get();
  if (handle == nullptr)
    return fatal(Errc::internal, "the MySQL client library cannot be initialised");

  set_options(handle, options);
  SLUICE_TRY(prepare_tls(handle, options.tls, endpoint));
  const bool local = !endpoint.socket.empty();
  if (mysql_real_connect(handle, local ? nullptr : endpoint.host.c_str(), options.user().c_str(),
                         options.password().reveal().c_str(), nullptr, local ? 0 : endpoint.port,
                         local ? endpoint.socket.c_str() : nullptr, 0) == nullptr)
    return impl->error();
  SLUICE_TRY(check_tls(handle, options.tls, endpoint));
  impl->server = describe(handle);

  Connection connection(std::move(impl));
  const ServerInfo& server = connection.server();
  // lock_wait_timeout: SHOW CREATE TABLE waits for an ALTER in progress; then the query timeout
  // rules.
  SLUICE_TRY(connection.query("SET NAMES utf8mb4"));
  SLUICE_TRY(
      connection.query("SET SESSION time_zone = '+00:00', sql_mode = '', autocommit = 1, "
                       "sql_quote_show_create = 1"));
  // Tables with a hidden primary key must show it: the binlog has it.
  if (server.flavor == Flavor::mysql && server.version_number >= kGipkVersion)
    SLUICE_TRY(
        connection.query("SET SESSION show_gipk_in_create_table_and_information_schema = ON"));
  return connection;
}

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

std::optional<std::string> ResultTable::value(const ResultRow& row, std::string_view column) const {
  const auto at = std::find(columns.begin(), columns.end(), column);
  const auto i = static_cast<std::size_t>(at - columns.begin());
  return at == columns.end() || i >= row.size() ? std::nullopt : row[i];
}

Result<ResultRows> Connection::query(std::string_view sql) {
  SLUICE_TRY_ASSIGN(ResultTable table, query_table(sql));
  return std::move(table.rows);
}

Result<ResultTable> Connection::query_table(std::string_view sql) {
  MYSQL* const handle = impl_->handle.get();
  if (mysql_real_query(handle, sql.data(), sql.size()) != 0) return impl_->error();
  return stored_table(*impl_);
}

Result<std::vector<Result<ResultRows>>> Connection::query_each(
    const std::vector<std::string>& statements) {
  MYSQL* const handle = impl_->handle.get();
  if (mysql_set_server_option(handle, MYSQL_OPTION_MULTI_STATEMENTS_ON) != 0) return impl_->error();
  const auto rows = [this]() -> Result<ResultRows> {
    SLUICE_TRY_ASSIGN(ResultTable table, stored_table(*impl_));
    return std::move(table.rows);
  };
  std::vector<Result<ResultRows>> out;
  out.reserve(statements.size());
  while (out.size() < statements.size()) {
    std::string sql;
    for (std::size_t i = out.size(); i < statements.size(); ++i) sql += statements[i] + ";";
    // The server stops at a statement that fails: the rest is asked for again.
    int next = mysql_real_query(handle, sql.data(), sql.size());
    while (next == 0) {
      out.push_back(rows());
      if (!out.back() || out.size() == statements.size()) break;
      next = mysql_next_result(handle);
    }
    if (next > 0 && out.size() < statements.size()) out.emplace_back(impl_->error());
    if (!out.empty() && !out.back() && out.back().error().code == Errc::mysql_lost)
      return std::move(out.back()).error();
    while (mysql_more_results(handle) != 0 && mysql_next_result(handle) == 0) SLUICE_TRY(rows());
  }
  if (mysql_set_server_option(handle, MYSQL_OPTION_MULTI_STATEMENTS_OFF) != 0)
    return impl_->error();
  return out;
}

Result<std::optional<std::string>> Connection::query_value(std::string_view sql) {
  SLUICE_TRY_ASSIGN(ResultRows rows, query(sql));
  if (rows.empty() || rows.front().empty()) return std::optional<std::string>();
  return std::move(rows.front().front());
}

std::string Connection::quote(std::string_view text) {
  std::string out(text.size() * 2 + 1, '\0');
  out.resize(mysql_real_escape_string(impl_->handle.get(), out.data(), text.data(), text.size()));
  return "'" + out + "'";
}

const ServerInfo& Connection::server() const noexcept {
  return impl_->server;
}

const Endpoint& Connection::endpoint() const noexcept {
  return impl_->endpoint;
}

std::string quote_name(std::string_view name) {
  std::string out = "`";
  for (const char c : name) {
    if (c == '`') out += '`';
    out += c;
  }
  return out + "`";
}

}  // namespace sluice::mysql
