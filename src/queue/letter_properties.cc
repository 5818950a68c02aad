#include "queue/letter_properties.h"

#include "sluice/model/message_headers.h"

#include "queue/amqp_bytes.h"

namespace sluice::queue {
namespace {

constexpr std::string_view kLine = "application/x-ndjson";
constexpr std::string_view kMessage = "application/octet-stream";

const amqp_field_value_t* find(const amqp_table_t& table, std::string_view key) {
  for (int i = 0; i < table.num_entries; ++i)
    if (view(table.entries[i].key) == key) return &table.entries[i].value;
  return nullptr;
}

std::string text(const amqp_table_t& table, std::string_view key) {
  const auto* field = find(table, key);
  if (field == nullptr ||
      (field->kind != AMQP_FIELD_KIND_UTF8 && field->kind != AMQP_FIELD_KIND_BYTES))
    return {};
  return std::string(view(field->value.bytes));
}

std::int64_t integer(const amqp_table_t& table, std::string_view key) {
  const auto* field = find(table, key);
  return field != nullptr && field->kind == AMQP_FIELD_KIND_I64 ? field->value.i64 : 0;
}

}  // namespace

const amqp_basic_properties_t& LetterProperties::write(const Letter& letter) {
  id_ = letter.id.to_string();
  entries_ = {int_entry("v", kFormatVersion),
              text_entry("reason", letter.reason),
              text_entry("error", letter.error),
              text_entry("file", letter.file),
              int_entry("pos", static_cast<std::int64_t>(letter.pos)),
              text_entry("gtid", letter.gtid),
              text_entry("table", letter.table),
              text_entry("key", letter.key),
              text_entry("id", id_),
              int_entry("partition", letter.partition),
              int_entry("time", letter.commit_us),
              int_entry("refused", letter.refused_us)};
  properties_ = {};
  properties_._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_HEADERS_FLAG |
                       AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_TIMESTAMP_FLAG;
  properties_.content_type = amqp_bytes(letter.is_row ? kLine : kMessage);
  properties_.delivery_mode = 2;
  properties_.timestamp = static_cast<std::uint64_t>(letter.refused_us) / 1'000'000;
  properties_.headers = {static_cast<int>(entries_.size()), entries_.data()};
  return properties_;
}

Letter read_letter(const amqp_basic_properties_t& properties) {
  Letter letter;
  letter.is_row = (properties._flags & AMQP_BASIC_CONTENT_TYPE_FLAG) != 0 &&
                  view(properties.content_type) == kLine;
  if ((properties._flags & AMQP_BASIC_HEADERS_FLAG) == 0) return letter;
  const amqp_table_t& table = properties.headers;
  letter.reason = text(table, "reason");
  letter.error = text(table, "error");
  letter.file = text(table, "file");
  letter.pos = static_cast<std::uint64_t>(integer(table, "pos"));
  letter.gtid = text(table, "gtid");
  letter.table = text(table, "table");
  letter.key = text(table, "key");
  if (auto id = EventId::parse(text(table, "id")); id.ok()) letter.id = *id;
  letter.partition = static_cast<std::uint32_t>(integer(table, "partition"));
  letter.commit_us = integer(table, "time");
  letter.refused_us = integer(table, "refused");
  return letter;
}

}  // namespace sluice::queue
