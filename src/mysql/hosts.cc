#include "sluice/mysql/hosts.h"

#include <algorithm>

namespace sluice::mysql {

std::string Endpoint::to_string() const {
  return socket.empty() ? HostPort{host, port}.to_string(0) : socket;
}

std::vector<Endpoint> endpoints_of(const SourceOptions& options) {
  if (!options.socket().empty()) return {Endpoint{"", 0, options.socket()}};
  std::vector<Endpoint> out;
  for (const HostPort& h : all_hosts(options.host(), options.port(), options.hosts()))
    out.push_back(Endpoint{h.host, h.port, ""});
  return out;
}

void Hosts::follow(const Endpoint& endpoint) {
  const auto at = std::find(endpoints_.begin(), endpoints_.end(), endpoint);
  if (at != endpoints_.end()) follow(static_cast<std::size_t>(at - endpoints_.begin()));
}

}  // namespace sluice::mysql
