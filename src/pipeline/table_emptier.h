#pragma once
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "sluice/config/options.h"
#include "sluice/mapping/mapper.h"
#include "sluice/model/event_id.h"
#include "sluice/redis/connection.h"
#include "sluice/schema/catalog.h"

#include "pipeline/table_filter.h"

namespace sluice::pipeline {

// Removes from Redis what rows of tables have become, when the source empties or drops them.  What
// has been done is noted in Redis, so that the statement, read once more after a crash, does not
// take what came behind it.  Called by the source's thread, when Redis has all that came before.
class TableEmptier {
 public:
  using TableName = schema::Definitions::Name;
  using Connect = std::function<Result<std::unique_ptr<redis::Connection>>()>;
  // All outlive this.  `catalog`: as it is before the statement.
  TableEmptier(const Options& options, const TableFilter& filter, const schema::Catalog& catalog,
               Connect connect)
      : options_(&options), filter_(&filter), catalog_(&catalog), connect_(std::move(connect)) {}

  // `tables`: as the source calls them; without a table's name all of the database.  Waits while
  // Redis is away.  Errors: stopped; fatal/pipeline_unsupported for a table whose keys cannot be
  // told from others; what Redis says that is not retry.
  Status empty(const std::vector<TableName>& tables, const TransactionId& at,
               const std::string& gtid, const std::stop_token& st) const;

 private:
  struct Victim {
    std::string name;  // that its rows go by
    std::vector<mapping::KeyPattern> patterns;
    bool scripted = false;
  };
  Result<std::vector<Victim>> victims_of(const std::vector<TableName>& tables) const;
  Result<Victim> victim_of(const TableSchema& table) const;
  Status check_alone(const Victim& victim, const std::vector<TableName>& emptied) const;
  Status empty(const Victim& victim, const std::string& mark, const std::string& gtid,
               const std::stop_token& st) const;
  // On all nodes, until none of their slots has moved meanwhile.
  Result<std::uint64_t> remove(redis::Connection& redis, const std::string& glob,
                               const std::stop_token& st) const;
  // `node` is asked for keys, `redis` removes them.
  static Result<std::uint64_t> sweep(redis::Connection& redis, redis::Connection& node,
                                     const std::string& glob, const std::stop_token& st);

  const Options* options_;
  const TableFilter* filter_;
  const schema::Catalog* catalog_;
  Connect connect_;
};

}  // namespace sluice::pipeline
