// What mappings need of the server.
#include "sluice/mapping/mapper.h"
#include "sluice/redis/connection.h"

namespace sluice::mapping {

Status check_server(redis::Connection& connection, const Options& options) {
  for (std::size_t i = 0; i < options.tables.size(); ++i) {
    const auto& mappings = options.tables()[i].mappings;
    for (std::size_t n = 0; n < mappings.size(); ++n) {
      if (mappings()[n].type() != MappingOptions::Type::json) continue;
      SLUICE_TRY_ASSIGN(const redis::Reply reply,
                        connection.command({"COMMAND", "INFO", "JSON.SET"}));
      if (reply.kind == redis::Reply::Kind::error) return redis::error_of_reply(reply.text);
      if (reply.items.size() == 1 && reply.items[0].kind == redis::Reply::Kind::array) return {};
      return fatal(Errc::redis_preflight,
                   "tables[" + std::to_string(i) + "].mappings[" + std::to_string(n) +
                       "]: type: json needs JSON.SET, which this Redis server has not (a module "
                       "brings it); type: string holds the row as JSON, too");
    }
  }
  return {};
}

}  // namespace sluice::mapping
