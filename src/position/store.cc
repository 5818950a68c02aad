#include <system_error>

#include "sluice/base/files.h"
#include "sluice/position/state_file.h"

#include "json_members.h"

namespace sluice::position {
namespace {

namespace fs = std::filesystem;

fs::path state_path(const fs::path& folder) {
  return folder / "state.json";
}
fs::path backup_path(const fs::path& folder) {
  return folder / "state.json.bak";
}

// A file that cannot be looked at counts as there: reading it tells why.
bool is_there(const fs::path& path) {
  std::error_code ec;
  return fs::exists(path, ec) || ec;
}

Result<State> read_state(const fs::path& path) {
  SLUICE_TRY_ASSIGN(const std::string text, read_file(path));
  return decode(text);
}

// What a damaged file still says of its position: a hint for the person who decides, never used.
std::string position_hint(const fs::path& path) {
  auto text = read_file(path);
  if (!text) return "";
  const Json json = Json::parse(*text, nullptr, false);
  if (json.is_discarded()) return "";
  Members members(json);
  const BinlogPosition p{members.text("file"), members.u64("pos")};
  return members.problem().empty() ? " (it says " + p.to_string() + ", not to be trusted)" : "";
}

// What to do when state.json is missing or bad: the choice is the operator's, both ends of it have
// a price.
Error unusable(const fs::path& folder, const std::string& trouble) {
  const std::string main = state_path(folder).string();
  const std::string backup = backup_path(folder).string();
  std::string what = main + " " + trouble + "; ";
  const std::string anew = "`rm -f " + main + " " + backup + "` to start anew at source.start";
  if (!is_there(backup_path(folder))) {
    what += "there is no backup " + backup + ": " + anew;
  } else if (auto old = read_state(backup_path(folder)); old) {
    what += "the backup " + backup + " is good and stands at " + old->position.to_string() +
            ": either `cp " + backup + " " + main +
            "` to go back there (some seconds; rows are sent again and dropped as repeats), or " +
            anew;
  } else {
    what += "the backup " + backup + " is no help: " + old.error().what +
            position_hint(backup_path(folder)) + ": " + anew;
  }
  return fatal(Errc::position_damaged, std::move(what));
}

Result<std::optional<State>> load_from(const fs::path& folder) {
  if (!is_there(state_path(folder))) {
    if (!is_there(backup_path(folder))) return std::optional<State>{};
    return unusable(folder, "is missing");
  }
  auto state = read_state(state_path(folder));
  if (state) return std::optional<State>(std::move(state).value());
  if (state.error().code == Errc::position_damaged)
    return unusable(folder,
                    "is damaged: " + state.error().what + position_hint(state_path(folder)));
  if (state.error().code == Errc::io) return std::move(state).error();
  return std::move(state).error().at(state_path(folder).string());
}

}  // namespace

Result<Store> Store::open(const fs::path& folder) {
  std::error_code ec;
  fs::create_directories(folder, ec);
  if (ec) return io_error("create state folder", folder, ec.value());
  SLUICE_TRY_ASSIGN(UniqueFd lock, lock_file(folder / "lock"));
  return Store(folder, std::move(lock));
}

Result<std::optional<State>> Store::load() const {
  return load_from(folder_);
}

Result<std::optional<State>> Store::peek(const fs::path& folder) {
  return load_from(folder);
}

Result<bool> Store::remove(bool really) const {
  bool found = false;
  for (const fs::path& path : {state_path(folder_), backup_path(folder_)}) {
    if (!is_there(path)) continue;
    found = true;
    std::error_code ec;
    if (really && !fs::remove(path, ec) && ec)
      return fatal(Errc::io, "remove " + path.string() + ": " + ec.message());
  }
  return found;
}

Status Store::save(const State& state) const {
  // What decode() would refuse must never replace a good file.
  if (state.last.size() != state.layout.partitions)
    return fatal(Errc::internal, "state to save has " + std::to_string(state.last.size()) +
                                     " last ids for " + std::to_string(state.layout.partitions) +
                                     " partitions");
  return write_file_durably(state_path(folder_), encode(state), backup_path(folder_));
}

}  // namespace sluice::position
