#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "sluice/binlog/table_map.h"

#include "unit/binlog/builder.h"

namespace sluice::binlog::testing {

// Builds a TABLE_MAP body: shop.orders, table id 42.
class MapBuilder {
 public:
  MapBuilder& column(ColumnType type, std::string_view meta = {}, bool nullable = true) {
    types_.push_back(static_cast<char>(type));
    meta_.append(meta);
    nullable_.push_back(nullable);
    return *this;
  }
  // Optional metadata.
  MapBuilder& field(int type, std::string_view value) {
    fields_.le<1>(static_cast<std::uint64_t>(type)).lenenc(value.size()).bytes(value);
    return *this;
  }
  MapBuilder& names(const std::vector<std::string>& names) {
    ByteWriter w;
    for (const std::string& n : names) w.short_string(n);
    return field(4, w.str());
  }
  std::string body() const {
    std::string nulls((types_.size() + 7) / 8, '\0');
    for (std::size_t i = 0; i < nullable_.size(); ++i)
      if (nullable_[i]) nulls[i / 8] = static_cast<char>(nulls[i / 8] | 1 << (i % 8));
    return std::move(ByteWriter()
                         .le<6>(42)
                         .le<2>(1)
                         .short_string("shop")
                         .le<1>(0)
                         .short_string("orders")
                         .le<1>(0)
                         .lenenc(types_.size())
                         .bytes(types_)
                         .lenenc(meta_.size())
                         .bytes(meta_)
                         .bytes(nulls)
                         .bytes(fields_.str()))
        .str();
  }
  Result<TableMap> decode(const FormatDescription& format = mysql_format()) const {
    return TableMap::decode(as_bytes(body()), format);
  }
  TableMap map(const FormatDescription& format = mysql_format()) const {
    auto m = decode(format);
    EXPECT_TRUE(m.ok()) << (m.ok() ? "" : m.error().what);
    return m.ok() ? std::move(m).value() : TableMap{};
  }

 private:
  std::string types_, meta_;
  std::vector<bool> nullable_;
  ByteWriter fields_;
};

}  // namespace sluice::binlog::testing
