#include "sluice/binlog/rows.h"

#include "unit/binlog/map_builder.h"

namespace sluice::binlog {
namespace {

using testing::hex;
using testing::MapBuilder;
using testing::mariadb_format;
using testing::mysql_format;

constexpr auto kInt = ColumnType::long_;

// Head of a version 2 ROWS event for table 42 with `extra` of extra row info.
std::string head_v2(std::string_view extra = {}, std::uint16_t flags = 1) {
  return std::move(ByteWriter().le<6>(42).le<2>(flags).le<2>(extra.size() + 2).bytes(extra)).str();
}
std::string head_v1() {
  return std::move(ByteWriter().le<6>(42).le<2>(1)).str();
}

std::string show(const std::vector<Cell>& cells) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const Cell& c : cells) {
    if (!out.empty()) out += ' ';
    if (c.state == CellState::absent) out += '-';
    if (c.state == CellState::null) out += "null";
    if (c.state == CellState::json_diff) out += 'd';
    if (c.state == CellState::value || c.state == CellState::json_diff) {
      out += '\'';
      for (const std::byte b : c.bytes) {
        out += kHex[std::to_integer<unsigned>(b >> 4)];
        out += kHex[std::to_integer<unsigned>(b & std::byte{15})];
      }
      out += '\'';
    }
  }
  return out;
}

struct Walked {
  std::vector<std::string> rows;  // "before => after"
  std::optional<Error> error;
};

Walked walk(const TableMap& map, EventType type, const std::string& body,
            const FormatDescription& format = mysql_format()) {
  Walked out;
  auto event = RowsEvent::decode(type, as_bytes(body), format);
  if (!event.ok()) {
    out.error = event.error();
    return out;
  }
  auto cursor = RowCursor::open(map, *event);
  if (!cursor.ok()) {
    out.error = cursor.error();
    return out;
  }
  RowImages images;
  for (int guard = 0; guard < 1000; ++guard) {
    auto more = cursor->next(images);
    if (!more.ok()) out.error = more.error();
    if (!more.ok() || !*more) return out;
    out.rows.push_back(event->kind == RowsKind::insert ? show(images.after)
                       : event->kind == RowsKind::remove
                           ? show(images.before)
                           : show(images.before) + " => " + show(images.after));
  }
  ADD_FAILURE() << "the cursor does not end";
  return out;
}

TEST(RowsEvent, ReadsTheHeadOfVersion2) {
  const std::string body = head_v2("", 0x11) + hex("02 ff 00 01000000 02000000");
  const auto e = RowsEvent::decode(EventType::write_rows, as_bytes(body), mysql_format());
  ASSERT_TRUE(e.ok());
  EXPECT_EQ(e->kind, RowsKind::insert);
  EXPECT_EQ(e->table_id, 42U);
  EXPECT_EQ(e->width, 2U);
  EXPECT_TRUE(e->statement_end());
  EXPECT_EQ(e->rows.size(), 9U);
}

TEST(RowsEvent, SkipsExtraRowInfoByItsLength) {
  const TableMap map = MapBuilder().column(kInt).map();
  // A partition id, NDB's data, and a tag nobody knows.
  for (const char* extra : {"01 0300", "00 04 0102", "77 aabbccdd"})
    EXPECT_EQ(walk(map, EventType::write_rows, head_v2(hex(extra)) + hex("01 ff 00 07000000")).rows,
              std::vector<std::string>{"'07000000'"})
        << extra;
}

TEST(RowsEvent, ReadsVersion1OfBothFamilies) {
  const TableMap map = MapBuilder().column(kInt).map();
  const std::string body = head_v1() + hex("01 ff 00 07000000");
  EXPECT_EQ(walk(map, EventType::write_rows_v1, body, mariadb_format()).rows.size(), 1U);
  EXPECT_EQ(walk(map, EventType::delete_rows_v1, body, mysql_format()).rows.size(), 1U);
}

TEST(RowsEvent, ReadsFourByteTableIdsWhereTheServerListsSix) {
  const auto format = FormatDescription::decode(
      as_bytes(
          testing::make_format({.version = "5.1.0", .lengths = std::string(25, 6), .alg = -1})),
      true);
  ASSERT_TRUE(format.ok());
  const auto e = RowsEvent::decode(EventType::write_rows_v1,
                                   as_bytes(hex("2a000000 0100 01 ff 00 07000000")), *format);
  ASSERT_TRUE(e.ok());
  EXPECT_EQ(e->table_id, 42U);
  EXPECT_EQ(e->width, 1U);
}

TEST(RowsEvent, RefusesWhatItDoesNotReadYetNamingIt) {
  for (const EventType t : {EventType::write_rows_compressed_v1, EventType::update_rows_compressed,
                            EventType::pre_ga_write_rows, EventType::partial_row_data}) {
    EXPECT_TRUE(is_rows_event(t));
    const auto e = RowsEvent::decode(t, as_bytes(head_v1()), mysql_format());
    ASSERT_FALSE(e.ok());
    EXPECT_EQ(e.error().code, Errc::binlog_unsupported);
    EXPECT_NE(e.error().what.find(event_type_name(t)), std::string::npos);
  }
  EXPECT_FALSE(is_rows_event(EventType::table_map));
  EXPECT_FALSE(is_rows_event(EventType::rows_query));
}

TEST(RowsEvent, RefusesContradictoryHeads) {
  const auto extra = RowsEvent::decode(
      EventType::write_rows, as_bytes(hex("2a0000000000 0100 0100 01 ff")), mysql_format());
  ASSERT_FALSE(extra.ok());
  EXPECT_EQ(extra.error().code, Errc::binlog_malformed);
  const auto width = RowsEvent::decode(
      EventType::write_rows, as_bytes(head_v2() + hex("feffffffffffffff7f")), mysql_format());
  ASSERT_FALSE(width.ok());
  EXPECT_EQ(width.error().code, Errc::binlog_truncated);
}

TEST(RowCursor, RefusesAnEventOfAnotherWidth) {
  const Walked w = walk(MapBuilder().column(kInt).column(kInt).map(), EventType::write_rows,
                        head_v2() + hex("01 ff 00 07000000"));
  ASSERT_TRUE(w.error);
  EXPECT_EQ(w.error->code, Errc::schema_mismatch);
}

TEST(RowCursor, TellsNullAbsentAndEmptyApart) {
  const TableMap map =
      MapBuilder().column(kInt).column(ColumnType::varchar, hex("0500")).column(kInt).map();
  // Columns 0 and 1 are present: the null bitmap has two bits.
  EXPECT_EQ(
      walk(map, EventType::delete_rows, head_v2() + hex("03 03  02 01000000  00 02000000 00")).rows,
      (std::vector<std::string>{"'01000000' null -", "'02000000' '' -"}));
}

TEST(RowCursor, NullBitmapHasOneBitPerPresentColumn) {
  MapBuilder b;
  for (int i = 0; i < 10; ++i) b.column(ColumnType::tiny);
  // Only columns 0, 8 and 9 are present; the second and third of them are told by bits 1 and 2 of
  // one byte.
  EXPECT_EQ(walk(b.map(), EventType::write_rows, head_v2() + hex("0a 0103  02 11 22")).rows,
            std::vector<std::string>{"'11' - - - - - - - null '22'"});
}

TEST(RowCursor, PaddingBitsOfABitmapDoNotCount) {
  const TableMap map = MapBuilder().column(ColumnType::tiny).map();
  EXPECT_EQ(walk(map, EventType::write_rows, head_v2() + hex("01 ff  00 11  01")).rows,
            (std::vector<std::string>{"'11'", "null"}));
}

TEST(RowCursor, UpdatesHaveABitmapPerImage) {
  const TableMap map = MapBuilder().column(kInt).column(ColumnType::tiny).map();
  EXPECT_EQ(walk(map, EventType::update_rows,
                 head_v2() + hex("02 01 02  00 01000000  00 05  00 02000000  01"))
                .rows,
            (std::vector<std::string>{"'01000000' - => - '05'", "'02000000' - => - null"}));
}

TEST(RowCursor, UpdateThatChangesNothingHasAnEmptyAfterImage) {
  const TableMap map = MapBuilder().column(kInt).map();
  EXPECT_EQ(
      walk(map, EventType::update_rows, head_v2() + hex("01 01 00  00 01000000  00 02000000")).rows,
      (std::vector<std::string>{"'01000000' => -", "'02000000' => -"}));
}

TEST(RowCursor, AnInsertWithoutColumnsIsOneRow) {
  const TableMap map = MapBuilder().column(kInt).column(kInt).map();
  const Walked w = walk(map, EventType::write_rows, head_v2() + hex("02 00"));
  EXPECT_FALSE(w.error);
  EXPECT_EQ(w.rows, std::vector<std::string>{"- -"});
}

TEST(RowCursor, RowsWithoutColumnsAndWithBytesDoNotLoop) {
  const TableMap map = MapBuilder().column(kInt).map();
  for (const auto& [type, body] :
       {std::pair(EventType::write_rows, head_v2() + hex("01 00 00")),
        std::pair(EventType::delete_rows, head_v2() + hex("01 00 00")),
        std::pair(EventType::update_rows, head_v2() + hex("01 00 00 00"))}) {
    const Walked w = walk(map, type, body);
    EXPECT_TRUE(w.rows.empty());
    ASSERT_TRUE(w.error);
    EXPECT_EQ(w.error->code, Errc::binlog_malformed);
  }
}

TEST(RowCursor, AnEventWithoutRowsHasNone) {
  const TableMap map = MapBuilder().column(kInt).map();
  EXPECT_TRUE(walk(map, EventType::write_rows, head_v2() + hex("01 ff")).rows.empty());
  const Walked none = walk(map, EventType::delete_rows, head_v2() + hex("01 00"));
  EXPECT_TRUE(none.rows.empty());
  EXPECT_FALSE(none.error);
}

struct TypeCase {
  ColumnType type;
  const char* meta;
  const char* stored;  // what stands in the row
  const char* cell;    // what is cut out of it
};

class RowCursorCuts : public ::testing::TestWithParam<TypeCase> {};

TEST_P(RowCursorCuts, TheValueAndNothingElse) {
  const TypeCase& k = GetParam();
  const TableMap map =
      MapBuilder().column(k.type, hex(k.meta)).column(ColumnType::tiny).map(mariadb_format());
  const Walked w =
      walk(map, EventType::write_rows, head_v2() + hex("02 ff 00") + hex(k.stored) + hex("7f"));
  EXPECT_FALSE(w.error) << (w.error ? w.error->what : "");
  EXPECT_EQ(w.rows, std::vector<std::string>{"'" + std::string(k.cell) + "' '7f'"});
  // One byte less is an error that names the column.
  const std::string stored = hex(k.stored);
  if (stored.empty()) return;
  const Walked cut = walk(map, EventType::write_rows,
                          head_v2() + hex("02 ff 00") + stored.substr(0, stored.size() - 1));
  ASSERT_TRUE(cut.error);
  EXPECT_EQ(cut.error->code, Errc::binlog_truncated);
  EXPECT_NE(cut.error->what.find("shop.orders column 0"), std::string::npos) << cut.error->what;
}

INSTANTIATE_TEST_SUITE_P(
    AllTypes, RowCursorCuts,
    ::testing::Values(TypeCase{ColumnType::tiny, "", "80", "80"},
                      TypeCase{ColumnType::short_, "", "0102", "0102"},
                      TypeCase{ColumnType::int24, "", "010203", "010203"},
                      TypeCase{kInt, "", "01020304", "01020304"},
                      TypeCase{ColumnType::longlong, "", "0102030405060708", "0102030405060708"},
                      TypeCase{ColumnType::float_, "04", "0000803f", "0000803f"},
                      TypeCase{ColumnType::double_, "08", "000000000000f03f", "000000000000f03f"},
                      TypeCase{ColumnType::null, "", "", ""},
                      TypeCase{ColumnType::timestamp, "", "01020304", "01020304"},
                      TypeCase{ColumnType::date, "", "010203", "010203"},
                      TypeCase{ColumnType::newdate, "", "010203", "010203"},
                      TypeCase{ColumnType::time, "", "590a80", "590a80"},
                      TypeCase{ColumnType::datetime, "", "0102030405060708", "0102030405060708"},
                      TypeCase{ColumnType::typed_array, "08", "0400000002000004", "02000004"},
                      TypeCase{ColumnType::year, "", "7e", "7e"},
                      TypeCase{ColumnType::timestamp2, "00", "01020304", "01020304"},
                      TypeCase{ColumnType::timestamp2, "06", "01020304050607", "01020304050607"},
                      TypeCase{ColumnType::datetime2, "00", "8000000000", "8000000000"},
                      TypeCase{ColumnType::datetime2, "03", "80000000000102", "80000000000102"},
                      TypeCase{ColumnType::time2, "00", "800000", "800000"},
                      TypeCase{ColumnType::time2, "01", "80000001", "80000001"},
                      TypeCase{ColumnType::time2, "05", "800000010203", "800000010203"},
                      TypeCase{ColumnType::varchar, "ff00", "026162", "6162"},
                      TypeCase{ColumnType::varchar, "0001", "02006162", "6162"},
                      TypeCase{ColumnType::var_string, "0500", "0161", "61"},
                      TypeCase{ColumnType::bit, "0100", "01", "01"},
                      TypeCase{ColumnType::bit, "0104", "0102030405", "0102030405"},
                      TypeCase{ColumnType::newdecimal, "0a03", "8012d6870315", "8012d6870315"}));

INSTANTIATE_TEST_SUITE_P(
    Decimals, RowCursorCuts,
    ::testing::Values(TypeCase{ColumnType::newdecimal, "0100", "81", "81"},
                      TypeCase{ColumnType::newdecimal, "0900", "80000001", "80000001"},
                      TypeCase{ColumnType::newdecimal, "1e1e", "8000000000000000000000000001",
                               "8000000000000000000000000001"},
                      TypeCase{ColumnType::newdecimal, "411e",
                               "800000000000000000000000000000000000000000000000000000000001",
                               "800000000000000000000000000000000000000000000000000000000001"}));

INSTANTIATE_TEST_SUITE_P(
    Strings, RowCursorCuts,
    ::testing::Values(TypeCase{ColumnType::string, "fe05", "026162", "6162"},
                      TypeCase{ColumnType::string, "ee00", "02006162", "6162"},
                      TypeCase{ColumnType::string, "f701", "02", "02"},
                      TypeCase{ColumnType::string, "f702", "0201", "0201"},
                      TypeCase{ColumnType::string, "f803", "010203", "010203"},
                      TypeCase{ColumnType::blob, "01", "026162", "6162"},
                      TypeCase{ColumnType::blob, "02", "02006162", "6162"},
                      TypeCase{ColumnType::blob, "03", "0200006162", "6162"},
                      TypeCase{ColumnType::long_blob, "04", "020000006162", "6162"},
                      TypeCase{ColumnType::json, "04", "00000000", ""},
                      TypeCase{ColumnType::json, "04", "020000006162", "6162"},
                      TypeCase{ColumnType::geometry, "04", "0100000061", "61"},
                      TypeCase{ColumnType::vector, "04", "040000000000803f", "0000803f"},
                      TypeCase{ColumnType::blob_compressed, "02", "02006162", "6162"},
                      TypeCase{ColumnType::varchar_compressed, "6500", "026162", "6162"}));

// MariaDB's old times: what they take is in the schema, which whoever has it puts into `length`.
TEST(RowCursor, OldTemporalsTakeWhatTheirDigitsSay) {
  for (const auto& [type, sizes] :
       {std::pair(ColumnType::time, "3445556"), std::pair(ColumnType::datetime, "8667778"),
        std::pair(ColumnType::timestamp, "4556677")}) {
    std::string found;
    for (std::uint32_t digits = 0; digits <= 6; ++digits) {
      TableMap map = MapBuilder().column(type).column(ColumnType::blob, hex("01")).map();
      map.columns[0].length = digits;
      // The length of the blob behind it is found at the right place only.
      for (std::size_t size = 3; size <= 8; ++size) {
        const std::string values = std::string(size, '\x7f') + hex("0161");
        const Walked w = walk(map, EventType::write_rows, head_v2() + hex("02 ff 00") + values);
        if (!w.error && w.rows.size() == 1 && w.rows[0].ends_with(" '61'"))
          found += std::to_string(size);
      }
    }
    EXPECT_EQ(found, sizes) << column_type_name(type);
  }
}

// An event of MySQL 9.7 with binlog_row_image=MINIMAL: {"$.c": insert {"d": 1}}, then $.b[0]
// removed.
TEST(RowCursor, ReadsDiffsOfJsonColumns) {
  const TableMap map =
      MapBuilder().column(kInt).column(ColumnType::json, hex("04")).column(kInt).map();
  const std::string diffs = "0103242e630d0001000c000b000100050100640206242e625b305d";
  EXPECT_EQ(walk(map, EventType::partial_update_rows,
                 head_v2() + hex("03 01 02 00 01000000 01 01 00 1b000000") + hex(diffs))
                .rows,
            std::vector<std::string>{"'01000000' - - => - d'" + diffs + "' -"});
  // Without the option there is no bitmap: a row in which the column is not, one in which it is
  // whole.
  EXPECT_EQ(walk(map, EventType::partial_update_rows,
                 head_v2() + hex("03 01 06  00 01000000 00 00 020000000400 03000000"
                                 "          00 01000000 01 00 00 00000000 03000000"))
                .rows,
            (std::vector<std::string>{"'01000000' - - => - '0400' '03000000'",
                                      "'01000000' - - => - '' '03000000'"}));
}

TEST(RowCursor, EveryJsonColumnOfTheTableHasItsBitPresentOrNot) {
  MapBuilder b;
  b.column(ColumnType::tiny);
  for (int i = 0; i < 9; ++i) b.column(ColumnType::json, hex("04"));
  // Present after: the last two, of which the last but one is NULL; diffs: the first (which is not
  // there) and the last.
  EXPECT_EQ(walk(b.map(), EventType::partial_update_rows,
                 head_v2() + hex("0a 0100 0003  00 07  01 0101 01 00000000"))
                .rows,
            std::vector<std::string>{"'07' - - - - - - - - - => - - - - - - - - null d''"});
}

TEST(RowCursor, RefusesRowOptionsOfALaterServer) {
  const TableMap map = MapBuilder().column(kInt).map();
  const Walked w = walk(map, EventType::partial_update_rows,
                        head_v2() + hex("01 01 01  00 01000000 02 00 02000000"));
  ASSERT_TRUE(w.error);
  EXPECT_EQ(w.error->code, Errc::binlog_unsupported);
  EXPECT_NE(w.error->what.find("row value options 2"), std::string::npos);
}

TEST(RowCursor, WithALayoutThatManyEventsShare) {
  const TableMap map = MapBuilder().column(kInt).column(ColumnType::varchar, hex("0500")).map();
  const RowLayout layout(map);
  EXPECT_EQ(&layout.map(), &map);
  RowImages images;
  for (int i = 0; i < 2; ++i) {
    const std::string body = head_v2() + hex("02 ff 00 01000000 026162");
    const auto event = RowsEvent::decode(EventType::write_rows, as_bytes(body), mysql_format());
    ASSERT_TRUE(event.ok());
    auto cursor = RowCursor::open(layout, *event);
    ASSERT_TRUE(cursor.ok());
    const auto more = cursor->next(images);
    ASSERT_TRUE(more.ok() && *more);
    EXPECT_EQ(show(images.after), "'01000000' '6162'");
  }
  const TableMap wider = MapBuilder().column(kInt).column(kInt).column(kInt).map();
  const RowLayout other(wider);
  const std::string body = head_v2() + hex("02 ff 00 01000000 026162");
  const auto event = RowsEvent::decode(EventType::write_rows, as_bytes(body), mysql_format());
  EXPECT_FALSE(RowCursor::open(other, *event).ok());
}

TEST(RowCursor, RefusesTypesWhoseLengthNobodyCanTell) {
  for (const auto& [type, meta] :
       {std::pair(ColumnType::decimal_old, ""), std::pair(ColumnType::invalid, ""),
        std::pair(ColumnType::bool_, "")}) {
    const TableMap map = MapBuilder().column(type, hex(meta)).names({"odd"}).map();
    const Walked w = walk(map, EventType::write_rows, head_v2() + hex("01 ff 00 00"));
    ASSERT_TRUE(w.error);
    EXPECT_EQ(w.error->code, Errc::binlog_unsupported);
    EXPECT_NE(w.error->what.find("shop.orders column `odd`"), std::string::npos) << w.error->what;
    // NULL needs no length.
    EXPECT_EQ(walk(map, EventType::write_rows, head_v2() + hex("01 ff 01")).rows,
              std::vector<std::string>{"null"});
  }
}

}  // namespace
}  // namespace sluice::binlog
