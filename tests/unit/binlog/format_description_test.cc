#include "unit/binlog/builder.h"

namespace sluice::binlog {
namespace {

using testing::FormatParts;
using testing::make_format;
using testing::mariadb_lengths;

Result<FormatDescription> decode(const FormatParts& parts) {
  return FormatDescription::decode(as_bytes(make_format(parts)), true);
}

TEST(FormatDescription, TellsVersionFlavourAndLengths) {
  const auto mysql = decode({.version = "9.7.4-2", .created = 77});
  ASSERT_TRUE(mysql.ok());
  EXPECT_EQ(mysql->server_version, "9.7.4-2");
  EXPECT_EQ(mysql->flavor, Flavor::mysql);
  EXPECT_EQ(mysql->created, 77U);
  EXPECT_EQ(mysql->timestamp, 1700000000U);
  EXPECT_EQ(mysql->checksum, ChecksumAlg::crc32);
  EXPECT_EQ(mysql->post_header_len.size(), 42U);
  const auto mariadb = decode({.version = "10.11.19-MariaDB-log", .lengths = mariadb_lengths()});
  ASSERT_TRUE(mariadb.ok());
  EXPECT_EQ(mariadb->flavor, Flavor::mariadb);
  EXPECT_EQ(mariadb->post_header_len.size(), 171U);
}

TEST(FormatDescription, ReadsAVersionThatFillsItsField) {
  const std::string version = "9.7.4-" + std::string(44, 'x');
  const auto f = decode({.version = version});
  ASSERT_TRUE(f.ok());
  EXPECT_EQ(f->server_version, version);
}

TEST(FormatDescription, HasAChecksumFieldByServerVersion) {
  struct Case {
    const char* version;
    bool field;
  };
  for (const Case& c :
       {Case{"5.0.86-debug-log", false}, Case{"5.5.27-log", false}, Case{"5.6.0", false},
        Case{"5.6.1-log", true}, Case{"5.7.12", true}, Case{"8.4", true},
        Case{"5.2.10-MariaDB", false}, Case{"5.3.0-MariaDB", true}, Case{"5.5.68-mariadb", true}}) {
    const auto f =
        decode({.version = c.version, .lengths = std::string(27, 8), .alg = c.field ? 0 : -1});
    ASSERT_TRUE(f.ok()) << c.version;
    EXPECT_EQ(f->has_checksum_field, c.field) << c.version;
    EXPECT_EQ(f->post_header_len.size(), 27U) << c.version;
    EXPECT_EQ(f->checksum, ChecksumAlg::off) << c.version;
  }
}

TEST(FormatDescription, VerifiesItsChecksumWithTheInUseFlagCleared) {
  std::string open = make_format({.flags = EventHeader::kFlagInUse});
  EXPECT_TRUE(FormatDescription::decode(as_bytes(open), true).ok());
  open[60] = static_cast<char>(open[60] ^ 1);
  const auto bad = FormatDescription::decode(as_bytes(open), true);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, Errc::binlog_checksum);
  EXPECT_TRUE(FormatDescription::decode(as_bytes(open), false).ok());
}

TEST(FormatDescription, PassesOverAStaleChecksumWhenChecksumsAreOff) {
  std::string event = make_format({.alg = 0});
  event.back() = static_cast<char>(event.back() ^ 1);
  EXPECT_TRUE(FormatDescription::decode(as_bytes(event), true).ok());
}

TEST(FormatDescription, FingerprintIsTheSameAtTheHeadAndInTheMiddleOfADump) {
  const auto head = decode({.created = 1234, .log_pos = 126, .flags = EventHeader::kFlagInUse});
  const auto repeated = decode({.created = 0, .log_pos = 0, .flags = EventHeader::kFlagArtificial});
  ASSERT_TRUE(head.ok());
  ASSERT_TRUE(repeated.ok());
  EXPECT_EQ(head->fingerprint, repeated->fingerprint);
}

TEST(FormatDescription, FingerprintTellsFilesApart) {
  const auto base = decode({});
  ASSERT_TRUE(base.ok());
  EXPECT_NE(base->fingerprint, decode({.timestamp = 1700000001})->fingerprint);
  EXPECT_NE(base->fingerprint, decode({.version = "9.7.5"})->fingerprint);
  std::string other_server = make_format({.alg = 0});
  other_server[5] = 8;
  EXPECT_NE(base->fingerprint,
            FormatDescription::decode(as_bytes(other_server), false)->fingerprint);
  std::string lengths = testing::mysql_lengths();
  lengths[41] = 1;
  EXPECT_NE(base->fingerprint, decode({.lengths = lengths})->fingerprint);
}

TEST(FormatDescription, RefusesWhatItCannotRead) {
  struct Case {
    FormatParts parts;
    Errc code;
  };
  for (const Case& c :
       {Case{{.binlog_version = 3}, Errc::binlog_unsupported},
        Case{{.version = "5.2.2-a_drop6p13-alpha", .alg = -1}, Errc::binlog_unsupported},
        Case{{.alg = 2}, Errc::binlog_unsupported},
        Case{{.header_len = 13}, Errc::binlog_malformed}}) {
    const auto f = decode(c.parts);
    ASSERT_FALSE(f.ok());
    EXPECT_EQ(f.error().code, c.code) << f.error().what;
    EXPECT_EQ(f.error().cls, ErrorClass::fatal);
  }
}

TEST(FormatDescription, PostHeaderMendsWhatServersListWrongly) {
  const FormatDescription mysql = testing::mysql_format();
  EXPECT_EQ(mysql.post_header(EventType::transaction_payload), 0U);  // listed as 40
  EXPECT_EQ(mysql.post_header(EventType::write_rows_v1), 8U);        // listed as 0
  EXPECT_EQ(mysql.post_header(EventType::write_rows), 10U);
  EXPECT_EQ(mysql.post_header(EventType::large_transaction_header), 0U);
  EXPECT_EQ(mysql.post_header(EventType::unknown), 0U);
  EXPECT_EQ(mysql.post_header(EventType::mariadb_gtid), 19U);  // not listed
  auto old = decode({.version = "5.0.86", .lengths = std::string(19, 6), .alg = -1});
  ASSERT_TRUE(old.ok());
  EXPECT_EQ(old->post_header(EventType::table_map), 6U);
  EXPECT_EQ(old->post_header(EventType::write_rows), 10U);
}

}  // namespace
}  // namespace sluice::binlog
