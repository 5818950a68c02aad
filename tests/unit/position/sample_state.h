#pragma once
#include "sluice/position/state_file.h"

namespace sluice::position {

inline State sample_state() {
  State s;
  s.instance = "main";
  s.layout = {3, "00c0ffee00c0ffee"};
  s.source = {"mysql",   "3e11fa47-71ca-11e1-9e33-c80aa9429562", 97, 0, "binlog", 1700000000,
              0xDEADBEEF};
  s.epoch = 2;
  s.position = {"binlog.000003", 5'000'000'000};
  s.gtid_set = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:7";
  s.last = {EventId{2, 3, 4711, 1, 9, 1}, EventId{}, EventId{1, 2, 4, 0, 0, 0}};
  s.updated_at_us = 1'700'000'000'123'456;
  return s;
}

}  // namespace sluice::position
