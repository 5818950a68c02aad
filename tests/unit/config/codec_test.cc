#include "sluice/config/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/config/options.h"

namespace sluice {
namespace {

using testing::HasSubstr;

template <class T>
std::string parsed(std::string_view text) {
  const auto value = Codec<T>::parse(text);
  return value.ok() ? Codec<T>::yaml(*value) : "bad";
}

TEST(SizeCodec, ReadsBytesAndUnitsOfBothKinds) {
  EXPECT_EQ(Codec<ByteSize>::parse("0")->bytes(), 0U);
  EXPECT_EQ(Codec<ByteSize>::parse("1234")->bytes(), 1234U);
  EXPECT_EQ(Codec<ByteSize>::parse("7B")->bytes(), 7U);
  EXPECT_EQ(Codec<ByteSize>::parse("64KiB")->bytes(), 65536U);
  EXPECT_EQ(*Codec<ByteSize>::parse("1MiB"), 1_MiB);
  EXPECT_EQ(*Codec<ByteSize>::parse("1 GiB"), 1024_MiB);
  EXPECT_EQ(Codec<ByteSize>::parse("3kB")->bytes(), 3000U);
  EXPECT_EQ(Codec<ByteSize>::parse("3KB")->bytes(), 3000U);
  EXPECT_EQ(Codec<ByteSize>::parse("10MB")->bytes(), 10'000'000U);
  EXPECT_EQ(Codec<ByteSize>::parse("2GB")->bytes(), 2'000'000'000U);
}

TEST(SizeCodec, RefusesWhatIsNoSize) {
  for (const std::string_view text :
       {"", "MiB", "-1", "+1", "1.5MiB", "1mib", "1M", "1 MiB ", "1  MiB", "0x10",
        "99999999999999999999", "9223372036854775807KiB"})
    EXPECT_FALSE(Codec<ByteSize>::parse(text).ok()) << text;
}

TEST(SizeCodec, ShowsTheLargestUnitThatDivides) {
  EXPECT_EQ(Codec<ByteSize>::yaml(ByteSize{0}), "0");
  EXPECT_EQ(Codec<ByteSize>::yaml(ByteSize{1000}), "1000");
  EXPECT_EQ(Codec<ByteSize>::yaml(ByteSize{1536}), "1536");
  EXPECT_EQ(Codec<ByteSize>::yaml(ByteSize{3072}), "3KiB");
  EXPECT_EQ(Codec<ByteSize>::yaml(4096_MiB), "4GiB");
}

TEST(HostPortCodec, ReadsNamesAndAddressesOfBothFamilies) {
  EXPECT_EQ(*Codec<HostPort>::parse("db1"), (HostPort{"db1", 0}));
  EXPECT_EQ(*Codec<HostPort>::parse("db1.example.org:3307"), (HostPort{"db1.example.org", 3307}));
  EXPECT_EQ(*Codec<HostPort>::parse("10.0.0.7:1"), (HostPort{"10.0.0.7", 1}));
  EXPECT_EQ(*Codec<HostPort>::parse("[fd00::7]:3306"), (HostPort{"fd00::7", 3306}));
  EXPECT_EQ(*Codec<HostPort>::parse("[::1]"), (HostPort{"::1", 0}));
  for (const std::string_view text : {"db1", "db1:3306", "[fd00::7]:3306", "[::1]"})
    EXPECT_EQ(Codec<HostPort>::parse(text)->to_string(0), text);
  EXPECT_EQ((HostPort{"db1", 0}).to_string(3306), "db1:3306");
}

TEST(AllHosts, AreThoseOfTheListWithThePortWhereTheySayNone) {
  EXPECT_EQ(all_hosts("db0", 3306, {}), (std::vector<HostPort>{{"db0", 3306}}));
  EXPECT_EQ(all_hosts("db0", 3306, {{"db1", 0}, {"db2", 3307}}),
            (std::vector<HostPort>{{"db1", 3306}, {"db2", 3307}}));
}

TEST(HostPortCodec, RefusesWhatIsNoAddress) {
  for (const std::string_view text : {"", ":3306", "db1:", "db1:0", "db1:65536", "db1:x", "fd00::7",
                                      "[fd00::7", "[]:1", "a b", "u@h", "[::1]3306"})
    EXPECT_FALSE(Codec<HostPort>::parse(text).ok()) << text;
}

TEST(DurationCodec, ReadsEveryUnitAndShowsItShortest) {
  EXPECT_EQ(*Codec<Duration>::parse("100ms"), 100ms);
  EXPECT_EQ(*Codec<Duration>::parse("30s"), 30s);
  EXPECT_EQ(*Codec<Duration>::parse("10min"), 10min);
  EXPECT_EQ(*Codec<Duration>::parse("1h"), 1h);
  EXPECT_EQ(*Codec<Duration>::parse("0"), 0ms);
  EXPECT_EQ(parsed<Duration>("60000ms"), "1min");
  EXPECT_EQ(parsed<Duration>("90s"), "90s");
  EXPECT_EQ(parsed<Duration>("1500ms"), "1500ms");
  EXPECT_EQ(parsed<Duration>("120min"), "2h");
}

TEST(DurationCodec, WantsAUnit) {
  EXPECT_THAT(Codec<Duration>::parse("30").error().what, HasSubstr("30 has no unit"));
  for (const std::string_view text :
       {"", "s", "1m", "1.5s", "-1s", "1d", "1S", "1h30min", "9223372036854775807h", "00x"})
    EXPECT_FALSE(Codec<Duration>::parse(text).ok()) << text;
}

TEST(NumberCodec, ReadsThirtyTwoBitsAndNoMore) {
  EXPECT_EQ(*Codec<std::uint32_t>::parse("0"), 0U);
  EXPECT_EQ(*Codec<std::uint32_t>::parse("4294967295"), 4294967295U);
  for (const std::string_view text :
       {"4294967296", "-1", "+1", "1.0", "1e3", "0x10", "", " 1", "1_000", "many"})
    EXPECT_FALSE(Codec<std::uint32_t>::parse(text).ok()) << text;
}

TEST(BoolCodec, KnowsYamlsWordsAndNoOthers) {
  for (const std::string_view text : {"true", "True", "yes", "on", "ON"})
    EXPECT_EQ(parsed<bool>(text), "true") << text;
  for (const std::string_view text : {"false", "FALSE", "no", "off", "Off"})
    EXPECT_EQ(parsed<bool>(text), "false") << text;
  for (const std::string_view text : {"", "1", "0", "y", "n", "tRUE", "maybe"})
    EXPECT_EQ(parsed<bool>(text), "bad") << text;
}

TEST(EnumCodec, ReadsNamesAndNamesThemAllWhenItCannot) {
  EXPECT_EQ(*Codec<TlsOptions::Mode>::parse("verify_ca"), TlsOptions::Mode::verify_ca);
  EXPECT_EQ(Codec<LogOptions::Level>::yaml(LogOptions::Level::warn), "warn");
  EXPECT_EQ(Codec<LogOptions::Format>::parse("xml").error().what, "xml is not one of text or json");
  EXPECT_FALSE(Codec<LogOptions::Format>::parse("JSON").ok());
  EXPECT_FALSE(Codec<LogOptions::Format>::parse("").ok());
}

enum class Switch : std::uint8_t { off, on };
config::Names option_names(Switch) {
  static constexpr std::array<std::string_view, 2> kNames{"off", "on"};
  return kNames;
}

TEST(EnumCodec, QuotesNamesThatYamlTakesForBooleans) {
  EXPECT_EQ(*Codec<Switch>::parse("off"), Switch::off);
  EXPECT_EQ(Codec<Switch>::yaml(Switch::off), R"("off")");
}

template <class E>
void expect_a_name_for_each_value(E last) {
  const config::Names names = option_names(last);
  ASSERT_EQ(names.size(), static_cast<std::size_t>(last) + 1);
  for (std::size_t i = 0; i < names.size(); ++i)
    EXPECT_EQ(*Codec<E>::parse(names[i]), static_cast<E>(i));
}

TEST(EnumCodec, HasANameForEachValueOfEachEnum) {
  expect_a_name_for_each_value(TlsOptions::Mode::verify_identity);
  expect_a_name_for_each_value(QueueOptions::Type::existing);
  expect_a_name_for_each_value(QueueOptions::Compression::zstd);
  expect_a_name_for_each_value(MappingOptions::Type::none);
  expect_a_name_for_each_value(MappingOptions::Write::changed);
  expect_a_name_for_each_value(MappingOptions::OnDelete::keep);
  expect_a_name_for_each_value(ApplierOptions::OnTruncate::empty);
  expect_a_name_for_each_value(ApplierOptions::OnRefused::ignore);
  expect_a_name_for_each_value(RenderingOptions::Invalid::replace);
  expect_a_name_for_each_value(RenderingOptions::Binary::base64);
  expect_a_name_for_each_value(LogOptions::Format::json);
  expect_a_name_for_each_value(LogOptions::Level::error);
}

TEST(TimeZoneCodec, ReadsOffsetsUpToFourteenHours) {
  EXPECT_EQ(Codec<TimeZoneOffset>::parse("+00:00")->seconds(), 0);
  EXPECT_EQ(Codec<TimeZoneOffset>::parse("-00:00")->seconds(), 0);
  EXPECT_EQ(Codec<TimeZoneOffset>::parse("-03:30")->seconds(), -12600);
  EXPECT_EQ(Codec<TimeZoneOffset>::parse("+14:00")->seconds(), 50400);
  EXPECT_EQ(Codec<TimeZoneOffset>::parse("-14:00")->seconds(), -50400);
  EXPECT_EQ(Codec<TimeZoneOffset>::parse("-03:30")->to_string(), "-03:30");
  EXPECT_EQ(Codec<TimeZoneOffset>::parse("-00:30")->to_string(), "-00:30");
  for (const std::string_view text : {"", "UTC", "00:00", "+0:00", "+00:60", "+14:01", "-15:00",
                                      "+01:-1", "+01:0a", "+01.00", "+001:0"})
    EXPECT_FALSE(Codec<TimeZoneOffset>::parse(text).ok()) << text;
}

TEST(SecretCodec, NeverShowsTheSecret) {
  EXPECT_EQ(Codec<Secret>::yaml(Secret{"hunter2"}), R"("***")");
  EXPECT_EQ(Codec<Secret>::yaml(Secret{}), R"("")");
  EXPECT_EQ(Codec<Secret>::parse("hunter2")->reveal(), "hunter2");
}

TEST(Quote, LeavesPlainWordsAndQuotesTheRest) {
  EXPECT_EQ(config::quote("sluice"), "sluice");
  EXPECT_EQ(config::quote("/var/lib/sluice-2"), "/var/lib/sluice-2");
  EXPECT_EQ(config::quote(""), R"("")");
  EXPECT_EQ(config::quote("No"), R"("No")");
  EXPECT_EQ(config::quote("null"), R"("null")");
  EXPECT_EQ(config::quote("127.0.0.1"), R"("127.0.0.1")");
  EXPECT_EQ(config::quote("a: b #c"), R"("a: b #c")");
  EXPECT_EQ(config::quote(R"(shop\..*)"), R"('shop\..*')");
  EXPECT_EQ(config::quote(R"(it's \ here)"), R"('it''s \ here')");
  EXPECT_EQ(config::quote("tab\tquote\""), R"("tab\x09quote\"")");
  EXPECT_EQ(config::quote("${HOME}"), R"("$${HOME}")");
}

}  // namespace
}  // namespace sluice
