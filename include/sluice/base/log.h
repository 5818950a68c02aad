#pragma once
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <spdlog/logger.h>

#include "sluice/base/result.h"

namespace sluice::log {

enum class Format { text, json };

struct Settings {
  Format format = Format::text;
  std::string level = "info";  // trace debug info warn error
  // Empty: stderr.  Otherwise a file, rotated at `rotate_bytes`, `rotate_keep` old ones kept.
  std::filesystem::path file;
  std::size_t rotate_bytes = 64u << 20;
  std::size_t rotate_keep = 5;
};

// Sets where and how all loggers write.  Call once, before threads start; until then loggers write
// text to stderr. Errors: fatal/io when the file cannot be opened, fatal/config_invalid for an
// unknown level.
Status configure(const Settings& settings);

// The logger of a room, made at first use; lives as long as the program.  Thread-safe.
//   log::get("mysql").warn("source lost, reconnecting host={} attempt={} wait_ms={}", host, n, ms);
spdlog::logger& get(std::string_view room);

// Writes out what is buffered; called before the process ends.
void flush();

}  // namespace sluice::log
