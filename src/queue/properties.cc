#include "queue/properties.h"

#include <limits>
#include <optional>
#include <utility>

#include "queue/amqp_bytes.h"

namespace sluice::queue {
namespace {

Error poison(std::string what) {
  return Error{ErrorClass::poison, Errc::queue_message, std::move(what)};
}

const amqp_field_value_t* find(const amqp_table_t& table, std::string_view key) {
  for (int i = 0; i < table.num_entries; ++i)
    if (view(table.entries[i].key) == key) return &table.entries[i].value;
  return nullptr;
}

// Any of AMQP's integers that fits.
std::optional<std::int64_t> integer(const amqp_field_value_t& v) {
  switch (v.kind) {
    case AMQP_FIELD_KIND_I8: return v.value.i8;
    case AMQP_FIELD_KIND_U8: return v.value.u8;
    case AMQP_FIELD_KIND_I16: return v.value.i16;
    case AMQP_FIELD_KIND_U16: return v.value.u16;
    case AMQP_FIELD_KIND_I32: return v.value.i32;
    case AMQP_FIELD_KIND_U32: return v.value.u32;
    case AMQP_FIELD_KIND_I64: return v.value.i64;
    case AMQP_FIELD_KIND_U64:
    case AMQP_FIELD_KIND_TIMESTAMP:
      if (v.value.u64 > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return std::nullopt;
      return static_cast<std::int64_t>(v.value.u64);
    default: return std::nullopt;
  }
}

Result<std::int64_t> read_integer(const amqp_table_t& table, std::string_view key) {
  const auto* field = find(table, key);
  if (field == nullptr) return poison("no header " + std::string(key));
  const auto value = integer(*field);
  if (!value) return poison("header " + std::string(key) + " is no integer");
  return *value;
}

Result<std::uint64_t> read_count(const amqp_table_t& table, std::string_view key) {
  SLUICE_TRY_ASSIGN(const std::int64_t value, read_integer(table, key));
  if (value < 0) return poison("header " + std::string(key) + " is negative");
  return static_cast<std::uint64_t>(value);
}

Result<std::string_view> read_text(const amqp_table_t& table, std::string_view key) {
  const auto* field = find(table, key);
  if (field == nullptr) return poison("no header " + std::string(key));
  if (field->kind != AMQP_FIELD_KIND_UTF8 && field->kind != AMQP_FIELD_KIND_BYTES)
    return poison("header " + std::string(key) + " is no text");
  return view(field->value.bytes);
}

Result<EventId> read_id(const amqp_table_t& table, std::string_view key) {
  SLUICE_TRY_ASSIGN(const std::string_view text, read_text(table, key));
  auto id = EventId::parse(text);
  if (!id) return poison("header " + std::string(key) + ": " + id.error().what);
  return std::move(id).value();
}

}  // namespace

const amqp_basic_properties_t& PropertiesWriter::write(const MessageHeaders& headers,
                                                       std::string_view encoding) {
  text_.clear();
  headers.prev.append_to(text_);
  const std::size_t prev_end = text_.size();
  headers.first.append_to(text_);
  const std::size_t first_end = text_.size();
  headers.last.append_to(text_);
  const std::size_t last_end = text_.size();
  text_.push_back('/');
  text_.append_uint(headers.rows);
  const std::string_view all = text_.view();
  const std::string_view prev = all.substr(0, prev_end);
  const std::string_view first = all.substr(prev_end, first_end - prev_end);
  const std::string_view last = all.substr(first_end, last_end - first_end);

  entries_ = {int_entry("v", headers.version),
              text_entry("prev", prev),
              text_entry("first", first),
              text_entry("last", last),
              int_entry("rows", static_cast<std::int64_t>(headers.rows)),
              text_entry("file", headers.file),
              int_entry("pos", static_cast<std::int64_t>(headers.pos)),
              text_entry("gtid", headers.gtid),
              int_entry("time", headers.commit_us)};
  properties_ = {};
  properties_._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_HEADERS_FLAG |
                       AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG;
  properties_.content_type = amqp_bytes("application/x-ndjson");
  properties_.delivery_mode = 2;
  properties_.message_id = amqp_bytes(all.substr(first_end));
  properties_.headers = {static_cast<int>(entries_.size()), entries_.data()};
  if (!encoding.empty()) {
    properties_._flags |= AMQP_BASIC_CONTENT_ENCODING_FLAG;
    properties_.content_encoding = amqp_bytes(encoding);
  }
  if (headers.commit_us > 0) {
    properties_._flags |= AMQP_BASIC_TIMESTAMP_FLAG;
    properties_.timestamp = static_cast<std::uint64_t>(headers.commit_us) / 1'000'000;
  }
  return properties_;
}

std::string_view encoding_of(const amqp_basic_properties_t& properties) {
  if ((properties._flags & AMQP_BASIC_CONTENT_ENCODING_FLAG) == 0) return {};
  return view(properties.content_encoding);
}

Result<MessageHeaders> read_properties(const amqp_basic_properties_t& properties) {
  if ((properties._flags & AMQP_BASIC_HEADERS_FLAG) == 0)
    return poison("no headers: not a message of Sluice");
  const amqp_table_t& table = properties.headers;
  MessageHeaders h;
  SLUICE_TRY_ASSIGN(const std::int64_t version, read_integer(table, "v"));
  if (version < 1) return poison("header v is " + std::to_string(version));
  if (version > kFormatVersion) {
    return fatal(Errc::queue_message, "made by a later version (format " + std::to_string(version) +
                                          ", known up to " + std::to_string(kFormatVersion) +
                                          "); remedy: update this program");
  }
  h.version = static_cast<std::uint32_t>(version);
  SLUICE_TRY_ASSIGN(h.prev, read_id(table, "prev"));
  SLUICE_TRY_ASSIGN(h.first, read_id(table, "first"));
  SLUICE_TRY_ASSIGN(h.last, read_id(table, "last"));
  SLUICE_TRY_ASSIGN(h.rows, read_count(table, "rows"));
  SLUICE_TRY_ASSIGN(h.pos, read_count(table, "pos"));
  SLUICE_TRY_ASSIGN(h.commit_us, read_integer(table, "time"));
  SLUICE_TRY_ASSIGN(const std::string_view file, read_text(table, "file"));
  SLUICE_TRY_ASSIGN(const std::string_view gtid, read_text(table, "gtid"));
  h.file = file;
  h.gtid = gtid;
  return h;
}

}  // namespace sluice::queue
