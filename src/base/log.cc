#include "sluice/base/log.h"

#include <map>
#include <mutex>
#include <vector>

#include <spdlog/common.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "sluice/base/mutex.h"

namespace sluice::log {
namespace {

// %v with what JSON must escape escaped; the rest of the line is fixed text.
class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& msg, const std::tm& /*time*/,
              spdlog::memory_buf_t& dest) override {
    static constexpr std::string_view kHex = "0123456789abcdef";
    for (const char c : std::string_view(msg.payload.data(), msg.payload.size())) {
      const auto u = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        dest.push_back('\\');
        dest.push_back(c);
      } else if (u < 0x20) {
        for (const char x : {'\\', 'u', '0', '0', kHex[u >> 4], kHex[u & 15]}) dest.push_back(x);
      } else {
        dest.push_back(c);
      }
    }
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonMessage>();
  }
};

std::unique_ptr<spdlog::formatter> make_formatter(Format format) {
  auto f = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  f->add_flag<JsonMessage>('J');
  f->set_pattern(format == Format::json
                     ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","room":"%n","msg":"%J"})"
                     : "%Y-%m-%dT%H:%M:%S.%eZ %-5l %-8n %v");
  return f;
}

// All loggers share one sink: lines of different rooms never mix.
struct Registry {
  Mutex mu;
  spdlog::sink_ptr sink GUARDED_BY(mu);
  Format format GUARDED_BY(mu) = Format::text;
  spdlog::level::level_enum level GUARDED_BY(mu) = spdlog::level::info;
  std::map<std::string, std::unique_ptr<spdlog::logger>, std::less<>> loggers GUARDED_BY(mu);
};

Registry& registry() {
  static Registry r;
  return r;
}

void dress(spdlog::logger& logger, const spdlog::sink_ptr& sink, Format format,
           spdlog::level::level_enum level) {
  logger.sinks() = {sink};
  logger.set_formatter(make_formatter(format));
  logger.set_level(level);
  // A line that explains a death must be out before it.
  logger.flush_on(spdlog::level::info);
}

}  // namespace

Status configure(const Settings& settings) {
  static constexpr std::pair<std::string_view, spdlog::level::level_enum> kLevels[] = {
      {"trace", spdlog::level::trace},
      {"debug", spdlog::level::debug},
      {"info", spdlog::level::info},
      {"warn", spdlog::level::warn},
      {"error", spdlog::level::err}};
  const spdlog::level::level_enum* level = nullptr;
  for (const auto& [name, value] : kLevels)
    if (name == settings.level) level = &value;
  if (level == nullptr)
    return fatal(Errc::config_invalid,
                 "log level \"" + settings.level + "\": one of trace debug info warn error");
  spdlog::sink_ptr sink;
  if (settings.file.empty()) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    try {
      sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
          settings.file.string(), settings.rotate_bytes, settings.rotate_keep);
    } catch (const spdlog::spdlog_ex& e) {
      return fatal(Errc::io, "log file " + settings.file.string() + ": " + e.what());
    }
  }
  Registry& r = registry();
  const Lock lock(r.mu);
  r.sink = std::move(sink);
  r.format = settings.format;
  r.level = *level;
  for (auto& [name, logger] : r.loggers) dress(*logger, r.sink, r.format, r.level);
  return {};
}

spdlog::logger& get(std::string_view room) {
  Registry& r = registry();
  const Lock lock(r.mu);
  if (const auto it = r.loggers.find(room); it != r.loggers.end()) return *it->second;
  if (!r.sink) r.sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto logger = std::make_unique<spdlog::logger>(std::string(room));
  dress(*logger, r.sink, r.format, r.level);
  return *r.loggers.emplace(std::string(room), std::move(logger)).first->second;
}

void flush() {
  Registry& r = registry();
  const Lock lock(r.mu);
  if (r.sink) r.sink->flush();
}

}  // namespace sluice::log
