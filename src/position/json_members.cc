#include "json_members.h"

namespace sluice::position {
namespace {

// Undoes text_of_bytes; false for characters above U+00FF.  nlohmann has checked the UTF-8.
bool bytes_of_text(std::string_view text, std::string& out) {
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      out.push_back(text[i]);
    } else if ((c == 0xC2 || c == 0xC3) && i + 1 < text.size()) {
      const auto low = static_cast<unsigned char>(text[++i]);
      out.push_back(static_cast<char>((c & 0x03U) << 6U | (low & 0x3FU)));
    } else {
      return false;
    }
  }
  return true;
}

const Json& empty_object() {
  static const Json empty = Json::object();
  return empty;
}

const Json& empty_array() {
  static const Json empty = Json::array();
  return empty;
}

}  // namespace

std::string text_of_bytes(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (const char b : bytes) {
    const auto c = static_cast<unsigned char>(b);
    if (c < 0x80) {
      out.push_back(b);
    } else {
      out.push_back(static_cast<char>(0xC0U | c >> 6U));
      out.push_back(static_cast<char>(0x80U | (c & 0x3FU)));
    }
  }
  return out;
}

Members::Members(const Json& object) : object_(object) {
  if (!object_.is_object()) problem_ = "not a JSON object";
}

const Json* Members::find(const char* name) {
  if (!problem_.empty()) return nullptr;
  const auto it = object_.find(name);
  if (it != object_.end()) return &*it;
  problem_ = std::string("member \"") + name + "\" is missing";
  return nullptr;
}

void Members::note(std::string_view where, const std::string& problem) {
  if (problem_.empty() && !problem.empty()) problem_ = std::string(where) + ": " + problem;
}

std::string Members::text(const char* name) {
  std::string out;
  const Json* j = find(name);
  if (j == nullptr) return out;
  if (!j->is_string() || !bytes_of_text(j->get_ref<const std::string&>(), out)) {
    problem_ = std::string("member \"") + name + "\" is not a text";
    out.clear();
  }
  return out;
}

std::uint64_t Members::u64(const char* name, std::uint64_t max) {
  const Json* j = find(name);
  if (j == nullptr) return 0;
  if (j->is_number_unsigned() && j->get<std::uint64_t>() <= max) return j->get<std::uint64_t>();
  problem_ =
      std::string("member \"") + name + "\" is not a number from 0 to " + std::to_string(max);
  return 0;
}

std::int64_t Members::i64(const char* name) {
  const Json* j = find(name);
  if (j == nullptr) return 0;
  if (j->is_number_integer() && (!j->is_number_unsigned() ||
                                 j->get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX)))
    return j->get<std::int64_t>();
  problem_ = std::string("member \"") + name + "\" is not a 64-bit number";
  return 0;
}

const Json& Members::object(const char* name) {
  const Json* j = find(name);
  if (j == nullptr) return empty_object();
  if (j->is_object()) return *j;
  problem_ = std::string("member \"") + name + "\" is not an object";
  return empty_object();
}

const Json& Members::array(const char* name) {
  const Json* j = find(name);
  if (j == nullptr) return empty_array();
  if (j->is_array()) return *j;
  problem_ = std::string("member \"") + name + "\" is not an array";
  return empty_array();
}

}  // namespace sluice::position
