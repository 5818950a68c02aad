#pragma once
#include <atomic>
#include <cstdint>

namespace sluice::pipeline {

// How each side is, as its own thread last saw it; read by the status line.
struct Health {
  enum class Link : std::uint8_t {
    connecting,
    up,
    lost,
    elsewhere,  // not of this process: another one publishes
  };
  std::atomic<Link> source{Link::connecting};
  std::atomic<Link> queue{Link::connecting};
  std::atomic<std::uint32_t> appliers_up{0};
  std::atomic<std::uint32_t> appliers_lost{0};   // without Redis or broker, trying again
  std::atomic<std::uint32_t> appliers_short{0};  // fewer replicas have their rows than are wanted
  std::atomic<bool> broker_blocked{false};
  std::atomic<bool> ddl_refused{false};              // the queue for DDL takes nothing (full?)
  std::atomic<bool> letters_refused{false};          // so does the one for dead letters of rows
  std::atomic<std::uint32_t> refused_partitions{0};  // whose queue takes nothing (full?)
  std::atomic<bool> source_idle{false};              // all that the source has sent was read
  std::atomic<std::uint32_t> source_timestamp{0};    // seconds: of the last event read
  std::atomic<bool> disk_full{false};                // the position cannot be saved
  std::atomic<bool> letters_waiting{false};          // the broker does not take dead letters
  std::atomic<std::uint32_t> waiting_gaps{0};  // partitions whose chain does not fit at the moment
  std::atomic<std::uint32_t> rewinding{0};     // of these: rows were asked for again
  std::atomic<bool> going_back{false};         // the publisher does what was asked for
};

}  // namespace sluice::pipeline
