#pragma once
// The schema history at the start of a run.
#include <filesystem>
#include <stop_token>
#include <string>

#include "sluice/config/options.h"
#include "sluice/mysql/source_schemas.h"
#include "sluice/schema/catalog.h"
#include "sluice/schema/history.h"

#include "pipeline/start.h"
#include "pipeline/table_filter.h"

namespace sluice::pipeline {

std::filesystem::path history_file(const Options& options);

// How tables are read from the source beside the main dump, which `replica` is.
mysql::SourceSchemas::Settings schema_settings(const mysql::Hosts& hosts,
                                               const mysql::ReplicaIdentity& replica,
                                               const TableFilter& filter, std::stop_token stop);

// Sees to it that `history` covers the place where `plan` begins: reads the tables from the source
// and asks the binlog since then for what has changed them.  A first start at the binlog's end
// begins where they were read.  Errors: fatal/schema_unknown when tables that are taken were
// changed since that place, the binlog does not name columns, and nobody said to assume them; those
// of the source and the history.
Status prepare_history(const Options& options, const TableFilter& filter, bool full_metadata,
                       StartPlan& plan, mysql::SourceSchemas& source, schema::History& history);

// What a move of the saved position leaves out: the statements between the two places go into the
// history; when they cannot be read, it ends there and begins anew at the next start.
Status skip_statements(const Options& options, const mysql::SourceSchemas::Settings& settings,
                       const schema::Place& from, const schema::Place& to,
                       schema::History& history);

// For commands that move the saved position; the state folder is locked.
Status move_history(const Options& options, mysql::Connection& source, std::uint32_t epoch,
                    const BinlogPosition& from, const BinlogPosition& to);
// What is known at `to.position()`, in the epoch of `old`, is known at `to` as well when the binlog
// is still the one that `old` is of; the GTIDs must tell.  Else the next start reads the tables
// anew.
Status carry_history(const Options& options, mysql::Connection& source, const position::State& old,
                     const schema::Place& to);

}  // namespace sluice::pipeline
