#pragma once
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "sluice/mysql/preflight.h"
#include "sluice/mysql/replication_stream.h"

#include "integration/mysql/event_log.h"
#include "integration/mysql/server.h"

namespace sluice::mysql {

using binlog::EventType;

// A server, an account that may replicate, and who we are there.
class SourceStream : public OnServer {
 protected:
  void SetUp() override {
    OnServer::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    make_account(own_.source, all_rights());
    own_.source.heartbeat.set(500ms);
    identity_.server_id = 900000000U + static_cast<std::uint32_t>(::getpid());
    identity_.uuid = value("SELECT UUID()");
  }
  SourcePosition latest() {
    auto latest = latest_position(admin());
    EXPECT_TRUE(latest.ok()) << latest.error().what;
    return latest ? std::move(latest).value() : SourcePosition();
  }
  BinlogPosition now() { return latest().position; }
  std::unique_ptr<binlog::EventSource> open(const BinlogPosition& from) {
    return open(own_.source, identity_, from);
  }
  static std::unique_ptr<binlog::EventSource> open(const SourceOptions& options,
                                                   const ReplicaIdentity& identity,
                                                   const BinlogPosition& from) {
    auto stream = ReplicationStream::open(options, endpoints_of(options).front(), identity, from);
    EXPECT_TRUE(stream.ok()) << to_string(stream.error());
    return stream ? std::move(stream).value() : nullptr;
  }
  // The row of the source's list of replicas with our server_id.
  ResultRow listed() {
    for (ResultRow& row : sql(is_mysql() ? "SHOW REPLICAS" : "SHOW SLAVE HOSTS"))
      if (row[0] == std::to_string(identity_.server_id)) return row;
    return {};
  }
  static bool is_heartbeat(const KeptEvent& e) {
    return is(e, EventType::heartbeat) || is(e, EventType::heartbeat_v2);
  }

  OwnOptions own_;
  ReplicaIdentity identity_;
};

}  // namespace sluice::mysql
