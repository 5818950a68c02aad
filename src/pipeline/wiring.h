#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "sluice/config/options.h"
#include "sluice/mysql/hosts.h"
#include "sluice/mysql/replication_stream.h"
#include "sluice/redis/servers.h"

#include "pipeline/applier_pool.h"
#include "pipeline/assembler.h"
#include "pipeline/source_stage.h"
#include "pipeline/start.h"

namespace sluice::pipeline {

// What the stages are told of the options.
ApplierPool::Settings pool_settings(const Options& options);
// Of an applier pool for the partitions that the options tell now.  `servers` must outlive it.
// `stop`: it is to end.
ApplierPool::Dependencies pool_dependencies(const Options& options, redis::Servers& servers,
                                            const std::stop_token& stop,
                                            std::function<PoolSize::Load()> load,
                                            std::function<void()> ended);
AssemblerSettings assembler_settings(const Options& options);

using AppliedRecords = std::function<Result<std::vector<std::optional<position::AppliedRecord>>>()>;
// The source's hosts, as the source's stage asks for them.  All but `applied` must outlive it.
SourceStage::Dependencies source_dependencies(const Options& options, mysql::Hosts& hosts,
                                              const mysql::ReplicaIdentity& replica,
                                              AppliedRecords applied);

}  // namespace sluice::pipeline
