#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "sluice/config/options.h"
#include "sluice/mysql/hosts.h"
#include "sluice/mysql/replication_stream.h"

#include "pipeline/applier_pool.h"
#include "pipeline/assembler.h"
#include "pipeline/source_stage.h"
#include "pipeline/start.h"

namespace sluice::pipeline {

// What the stages are told of the options.
ApplierPool::Settings pool_settings(const Options& options);
AssemblerSettings assembler_settings(const Options& options);

using AppliedRecords = std::function<Result<std::vector<std::optional<position::AppliedRecord>>>()>;
// The source's hosts, as the source's stage asks for them.  All but `applied` must outlive it.
SourceStage::Dependencies source_dependencies(const Options& options, mysql::Hosts& hosts,
                                              const mysql::ReplicaIdentity& replica,
                                              AppliedRecords applied);

}  // namespace sluice::pipeline
