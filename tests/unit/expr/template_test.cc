#include "sluice/expr/template.h"

#include <gmock/gmock.h>

namespace sluice::expr {
namespace {

using Kind = TemplatePart::Kind;

std::vector<TemplatePart> parts(std::string_view text) {
  auto t = Template::parse(text);
  EXPECT_TRUE(t.ok()) << t.error().what;
  return t.ok() ? t->parts() : std::vector<TemplatePart>{};
}
std::string fault(std::string_view text) {
  const auto t = Template::parse(text);
  EXPECT_FALSE(t.ok());
  return t.ok() ? "" : t.error().what;
}

TEST(Template, IsTextAndColumns) {
  const auto p = parts("user:{id}-{schema}.{table}{key}");
  ASSERT_EQ(p.size(), 7U);
  EXPECT_EQ(p[0].text, "user:");
  EXPECT_EQ(p[1].kind, Kind::column);
  EXPECT_EQ(p[1].text, "id");
  EXPECT_EQ(p[1].at, 6U);
  EXPECT_EQ(p[2].text, "-");
  EXPECT_EQ(p[3].kind, Kind::schema);
  EXPECT_EQ(p[5].kind, Kind::table);
  EXPECT_EQ(p[6].kind, Kind::key);
  EXPECT_TRUE(parts("").empty());
  EXPECT_EQ(parts("plain").size(), 1U);
}

TEST(Template, BracesAndNamesCanBeQuoted) {
  const auto p = parts("{{\"id\":{`my ``key`}}}");
  ASSERT_EQ(p.size(), 3U);
  EXPECT_EQ(p[0].text, "{\"id\":");
  EXPECT_EQ(p[1].text, "my `key");
  EXPECT_EQ(p[1].kind, Kind::column);
  EXPECT_EQ(p[2].text, "}");
  EXPECT_EQ(parts("{`key`}")[0].kind, Kind::column);
  EXPECT_EQ(parts("{größe}")[0].text, "größe");
}

TEST(Template, FiltersStandBehindTheName) {
  const auto p = parts("{a|split:,|trim|lower|pad:8|first:3}{b|date:%Y-%m:%d}{c|sha1}");
  ASSERT_EQ(p.size(), 3U);
  ASSERT_EQ(p[0].filters.size(), 5U);
  EXPECT_EQ(p[0].filters[0].kind, Filter::Kind::split);
  EXPECT_EQ(p[0].filters[0].format, ",");
  EXPECT_EQ(p[0].filters[3].number, 8U);
  EXPECT_EQ(p[1].filters[0].format, "%Y-%m:%d");
}

TEST(Template, FaultsNameThePlaceInCharacters) {
  EXPECT_EQ(fault("ä{id"),
            "character 5: } or | is expected here; write {{ for the character { itself");
  EXPECT_EQ(fault("a}"), "character 2: a } without {; write }} for the character itself");
  EXPECT_EQ(fault("{}").substr(0, 12), "character 2:");
  EXPECT_EQ(fault("{a b}").substr(0, 12), "character 3:");
  EXPECT_EQ(fault("{a|lowr}"),
            "character 4: there is no filter lowr; there are lower, upper, trim, pad, first, date, "
            "sha1, sha256, json, split");
  for (const char* text :
       {"{a|pad}", "{a|pad:0}", "{a|pad:x}", "{a|first:}", "{a|date}", "{a|date:%Q}", "{a|date:%}",
        "{a|lower:1}", "{a|split}", "{a|trim|split:,}", "{`a}", "{``}"})
    EXPECT_EQ(fault(text).substr(0, 10), "character ") << text;
}

}  // namespace
}  // namespace sluice::expr
