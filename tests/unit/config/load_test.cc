#include "sluice/config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/config/loading.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST(Load, NamesEveryMistakeAtOnceWithItsPlace) {
  const auto found = problems(
      "instance: my pipeline\n"
      "source:\n"
      "  prot: 3307\n"
      "  port: 70000\n"
      "  heartbeat: 5\n"
      "  password: ${MISSING}\n"
      "filter:\n"
      "  include: ['shop\\.ok', 'shop\\.(']\n"
      "tables:\n"
      "  - match: 'shop\\..*'\n"
      "    partition_by: [id]\n"
      "    single_partition: true\n"
      "queue:\n"
      "  type: quorum\n"
      "  partitions: many\n"
      "  type: classic\n"
      "redis:\n"
      "  password: a\n"
      "  password_file: b\n");
  EXPECT_THAT(
      found,
      ElementsAre(
          "c.yaml:1:11: instance: 1 to 64 letters, digits, - and _ are expected",
          "c.yaml:3:3: source: unknown key prot; did you mean port?",
          "c.yaml:4:9: source.port: 70000 is outside 1..65535",
          "c.yaml:5:14: source.heartbeat: 5 has no unit; write 5ms, s, min or h",
          "c.yaml:6:13: source.password: there is no environment variable MISSING",
          "c.yaml:8:25: filter.include: bad pattern: missing ): shop\\.(",
          "c.yaml:11:19: tables[0].partition_by: does not go with single_partition: true",
          "c.yaml:15:15: queue.partitions: many is not a whole number from 0 to 4294967295",
          "c.yaml:16:3: duplicate key type, already on line 14",
          "c.yaml:19:3: redis.password_file: password is given too; one of the two is enough"));
}

TEST(Load, NothingAtAllGivesTheDefaults) {
  for (const std::string_view text :
       {"", "# only a comment\n", "---\n", "source:\nqueue:\ntables:\n", "{}"}) {
    const LoadResult result = load(text);
    ASSERT_TRUE(result.ok()) << text;
    EXPECT_EQ(result.options->source.port(), 3306U);
    EXPECT_EQ(result.options->queue.message_bytes(), 2_MiB);
    EXPECT_TRUE(result.options->filter.include().matches("any.thing"));
    EXPECT_EQ(result.options->tables.size(), 0U);
  }
}

TEST(Load, FillsEveryKindOfOption) {
  const LoadResult result = load(
      "instance: shop-1\n"
      "source: {host: db, port: 3307, heartbeat: 500ms, tls: {mode: verify_ca}}\n"
      "filter: {exclude: ['tmp\\..*', 'x.y']}\n"
      "tables:\n"
      "- {match: 'shop\\.a', partition_by: [region, \"customer id\"]}\n"
      "- {match: 'shop\\.b', single_partition: yes}\n"
      "queue: {message_bytes: 64KiB, password: p}\n"
      "rendering: {time_zone: \"-03:30\", invalid_text: replace}\n");
  ASSERT_TRUE(result.ok());
  const Options& options = *result.options;
  EXPECT_EQ(options.instance(), "shop-1");
  EXPECT_EQ(options.source.host(), "db");
  EXPECT_EQ(options.source.heartbeat(), 500ms);
  EXPECT_EQ(options.source.tls.mode(), TlsOptions::Mode::verify_ca);
  EXPECT_TRUE(options.filter.exclude().matches("tmp.a"));
  EXPECT_FALSE(options.filter.exclude().matches("tmpa"));
  ASSERT_EQ(options.tables.size(), 2U);
  EXPECT_THAT(options.tables()[0].partition_by(), ElementsAre("region", "customer id"));
  EXPECT_TRUE(options.tables()[1].single_partition());
  EXPECT_EQ(options.queue.message_bytes(), 64_KiB);
  EXPECT_EQ(options.queue.password().reveal(), "p");
  EXPECT_EQ(options.rendering.time_zone().seconds(), -12600);
  EXPECT_EQ(options.rendering.invalid_text(), RenderingOptions::Invalid::replace);
}

TEST(Load, ReadsOffAsANameAndNotAsABoolean) {
  EXPECT_THAT(
      problems("log: {level: off}"),
      ElementsAre(
          "c.yaml:1:14: log.level: \"off\" is not one of trace, debug, info, warn or error"));
}

TEST(Load, BothEndsOfARangeAreAllowed) {
  EXPECT_THAT(problems("source: {port: 1}"), IsEmpty());
  EXPECT_THAT(problems("source: {port: 65535}"), IsEmpty());
  EXPECT_THAT(problems("source: {port: 0}"),
              ElementsAre("c.yaml:1:16: source.port: 0 is outside 1..65535"));
  EXPECT_THAT(problems("queue: {message_bytes: 1023}"),
              ElementsAre("c.yaml:1:24: queue.message_bytes: 1023 is outside 1KiB..8MiB"));
  EXPECT_THAT(problems("redis: {timeout: 99ms}"),
              ElementsAre("c.yaml:1:18: redis.timeout: 99ms is outside 100ms..10min"));
}

TEST(Load, SaysWhichKindOfValueIsExpected) {
  EXPECT_THAT(problems("source: 5"),
              ElementsAre("c.yaml:1:9: source: a map of options is expected, not a single value"));
  EXPECT_THAT(problems("- a"), ElementsAre("c.yaml:1:1: a map of options is expected, not a list"));
  EXPECT_THAT(problems("word"),
              ElementsAre("c.yaml:1:1: a map of options is expected, not a single value"));
  EXPECT_THAT(problems("tables: {match: a}"),
              ElementsAre("c.yaml:1:9: tables: a list is expected, not a map"));
  EXPECT_THAT(
      problems("tables: [a]"),
      ElementsAre("c.yaml:1:10: tables[0]: a map of options is expected, not a single value"));
  EXPECT_THAT(problems("tables:\n  -\n"),
              ElementsAre("c.yaml:2:3: tables[0]: an entry of the list is empty"));
  EXPECT_THAT(problems("source:\n  port: [1]"),
              ElementsAre("c.yaml:2:9: source.port: a whole number is expected, not a list"));
  EXPECT_THAT(
      problems("filter: {include: {a: b}}"),
      ElementsAre("c.yaml:1:19: filter.include: a list of patterns, or one text with commas "
                  "between them is expected, not a map"));
  EXPECT_THAT(problems("[a]: 1"),
              ElementsAre("c.yaml:1:1: the name of an option is expected here, not a list"));
}

TEST(Load, AValueThatIsNotThereIsReportedAtItsKey) {
  EXPECT_THAT(problems("source:\n  port:\n\n\n  host: ~\n"),
              ElementsAre("c.yaml:2:3: source.port: a whole number is expected, not nothing",
                          "c.yaml:5:3: source.host: text is expected, not nothing"));
}

TEST(Load, SuggestsTheNearestKeyOnly) {
  EXPECT_THAT(problems("sources: {}"),
              ElementsAre("c.yaml:1:1: unknown key sources; did you mean source?"));
  EXPECT_THAT(problems("qeueu: {}"),
              ElementsAre("c.yaml:1:1: unknown key qeueu; did you mean queue?"));
  EXPECT_THAT(problems("zebra: {}"), ElementsAre("c.yaml:1:1: unknown key zebra"));
  EXPECT_THAT(
      problems("redis: {pasword_file: x}"),
      ElementsAre("c.yaml:1:9: redis: unknown key pasword_file; did you mean password_file?"));
  EXPECT_THAT(problems("source: {host_file: x}"),
              ElementsAre(StartsWith("c.yaml:1:10: source: unknown key host_file")));
}

TEST(Load, FindsDuplicateKeysAtEveryDepth) {
  EXPECT_THAT(
      problems(
          "redis: {}\nsource:\n  tls:\n    ca: a\n    cert: b\n    key: c\n    ca: d\nredis: {}\n"),
      ElementsAre("c.yaml:7:5: duplicate key ca, already on line 4",
                  "c.yaml:8:1: duplicate key redis, already on line 1"));
  EXPECT_THAT(problems("tables:\n- match: a\n  match: b\n"),
              ElementsAre("c.yaml:3:3: duplicate key match, already on line 2"));
  EXPECT_THAT(problems("source: {port: 1, \"port\": 2}"),
              ElementsAre("c.yaml:1:19: duplicate key port, already on line 1"));
  EXPECT_THAT(problems("source: {start: {file: b.1, pos: 4, pos: 4}}"),
              ElementsAre("c.yaml:1:37: duplicate key pos, already on line 1"));
}

TEST(Load, TheSameKeyInTwoSectionsIsNoDuplicate) {
  EXPECT_THAT(problems("source: {port: 1}\nqueue: {port: 1}\ntables: [{match: a}, {match: b}]\n"),
              IsEmpty());
}

TEST(Load, ASyntaxErrorIsTheOnlyProblem) {
  EXPECT_THAT(problems("prot: 1\nsource:\n  port: 1\n bad: 2\n"),
              ElementsAre(StartsWith("c.yaml:4:2: YAML: ")));
  EXPECT_THAT(problems("source: [1\nqueue: 2\n"), ElementsAre(StartsWith("c.yaml:2:6: YAML: ")));
  EXPECT_THAT(problems("source: *none\n"), ElementsAre(StartsWith("c.yaml:1:9: YAML: ")));
}

TEST(Load, AQuoteThatDoesNotEndDoesNotSwallowTheFile) {
  const std::string message = "YAML: the quoted text that begins here does not end";
  EXPECT_THAT(problems("redis:\n  password: \"abc\nlog:\n  level: info\n"),
              ElementsAre("c.yaml:2:13: " + message));
  EXPECT_THAT(problems("redis:\n  password: 'it''s\n"), ElementsAre("c.yaml:2:13: " + message));
  EXPECT_THAT(problems("redis:\n  password: !!str \"a\\\"\n"),
              ElementsAre("c.yaml:2:13: " + message));
  EXPECT_THAT(problems("redis:\n  password: \"a\\\"b\"\n  user: 'it''s'\n  host: \"h\""),
              IsEmpty());
}

TEST(Load, DeepNestingIsAProblemNotACrash) {
  EXPECT_THAT(problems("source: " + std::string(100'000, '[')), ElementsAre(HasSubstr("YAML: ")));
}

TEST(Load, AliasesStandForWhatTheyName) {
  const LoadResult result =
      load("source: {connect_timeout: &wait 7s}\nredis: {connect_timeout: *wait}\n");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.options->redis.connect_timeout(), 7s);
  EXPECT_THAT(problems("source: &s\n  tls: *s\n"),
              ElementsAre("c.yaml:2:8: this alias names a part of the text that holds it"));
}

TEST(Load, TagsAndSecondDocumentsAreNotPassedOver) {
  EXPECT_THAT(problems("instance: !!str main\n"), IsEmpty());
  EXPECT_THAT(problems("instance: !env NAME\n"),
              ElementsAre("c.yaml:1:11: tag !env means nothing here"));
  EXPECT_THAT(problems("instance: a\n---\ninstance: b\n"),
              ElementsAre("c.yaml:3:1: a second document; only one is read"));
}

TEST(Load, TakesAByteOrderMarkAndRefusesUtf16) {
  EXPECT_THAT(problems("\xEF\xBB\xBFinstance: main\n"), IsEmpty());
  EXPECT_THAT(problems(std::string_view("\xFF\xFEi\0n\0", 6)),
              ElementsAre("c.yaml: is not UTF-8 text: it holds a zero byte"));
}

TEST(Load, AFileThatIsNotThereIsAProblemOfTheWholeFile) {
  const LoadResult result = load_file("no/such/file.yaml");
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_FALSE(result.ok());
  EXPECT_THAT(result.problems[0].to_string(), StartsWith("no/such/file.yaml: "));
}

TEST(Load, ReadsTheStartPositionInEveryForm) {
  EXPECT_EQ(load("source: {start: latest}").options->source.start(), StartPosition{});
  EXPECT_EQ(load("source: {start: earliest}").options->source.start().kind,
            StartPosition::Kind::earliest);
  StartPosition place;
  place.kind = StartPosition::Kind::position;
  place.file = "mysql-bin.000012";
  place.pos = 5000000000;
  EXPECT_EQ(
      load("source: {start: {file: mysql-bin.000012, pos: 5000000000}}").options->source.start(),
      place);
  EXPECT_EQ(load("source: {start: {pos: 5000000000, file: '${F}'}}", {{"F", "mysql-bin.000012"}})
                .options->source.start(),
            place);
  EXPECT_EQ(load("source: {start: 'mysql-bin.000012:5000000000'}").options->source.start(), place);
  StartPosition behind;
  behind.kind = StartPosition::Kind::gtid;
  behind.gtid_set = "0-1-100,1-2-3";
  EXPECT_EQ(load("source: {start: {gtid: '0-1-100,1-2-3'}}").options->source.start(), behind);
  StartPosition time;
  time.kind = StartPosition::Kind::timestamp;
  time.seconds = 1769860800;
  for (const char* text : {"2026-01-31 12:00:00", "'2026-01-31T12:00:00Z'", "1769860800"})
    EXPECT_EQ(
        load("source: {start: {timestamp: " + std::string(text) + "}}").options->source.start(),
        time)
        << text;
}

TEST(Load, StartPositionsAreWrittenAsTheyAreRead) {
  for (const char* text :
       {"latest", "earliest", "{file: \"odd name.000001\", pos: 4}", "{gtid: \"0-1-100\"}",
        "{gtid: \"\"}", "{timestamp: \"2026-01-31 12:00:00\"}"}) {
    const LoadResult result = load("source: {start: " + std::string(text) + "}");
    ASSERT_TRUE(result.ok()) << text;
    EXPECT_EQ(Codec<StartPosition>::yaml(result.options->source.start()), text);
  }
}

TEST(ParseUtcTime, TakesTheTimesThatABinlogMayHave) {
  EXPECT_EQ(*parse_utc_time("1970-01-01 00:00:00"), 0);
  EXPECT_EQ(*parse_utc_time("2024-02-29 23:59:59"), 1709251199);
  EXPECT_EQ(*parse_utc_time("2106-02-07 06:28:15"), 4294967295);
  for (const char* text : {"", "now", "2026-01-31", "2026-02-30 12:00:00", "2026-01-31 24:00:00",
                           "2026-01-31 12:60:00", "2106-02-07 06:28:16", "1969-12-31 23:59:59",
                           "4294967296", "-1", "2026-01-31 12:00:00 +01"})
    EXPECT_FALSE(parse_utc_time(text).ok()) << text;
  EXPECT_EQ(utc_time_text(1769860800), "2026-01-31 12:00:00");
}

TEST(Load, RefusesStartPositionsThatAreNone) {
  const std::string file = "source.start: file is a binlog's name, such as binlog.000003";
  const std::string pos = "source.start: pos is a whole number, 4 or more";
  EXPECT_THAT(problems("source: {start: {file: binlog, pos: 4}}"),
              ElementsAre("c.yaml:1:24: " + file));
  EXPECT_THAT(problems("source: {start: {file: b.1, pos: 3}}"), ElementsAre("c.yaml:1:34: " + pos));
  EXPECT_THAT(problems("source: {start: {file: b.1, pos: -4}}"),
              ElementsAre("c.yaml:1:34: " + pos));
  EXPECT_THAT(problems("source: {start: {file: b.1}}"),
              ElementsAre("c.yaml:1:17: source.start: pos is missing"));
  EXPECT_THAT(problems("source: {start: {pos: 4}}"),
              ElementsAre("c.yaml:1:17: source.start: file is missing"));
  EXPECT_THAT(problems("source: {start: {file: b.1, pos: 4, pso: 5}}"),
              ElementsAre("c.yaml:1:37: source.start: unknown key pso; did you mean pos?"));
  const std::string one =
      "c.yaml:1:17: source.start: file and pos, gtid, or timestamp: one of the three";
  EXPECT_THAT(problems("source: {start: {gtid: 0-1-5, timestamp: 5}}"), ElementsAre(one));
  EXPECT_THAT(problems("source: {start: {file: b.1, gtid: 0-1-5}}"), ElementsAre(one));
  EXPECT_THAT(problems("source: {start: {gtid: 'x;y'}}"),
              ElementsAre(HasSubstr("gtid is a GTID set, such as")));
  EXPECT_THAT(problems("source: {start: {timestamp: yesterday}}"),
              ElementsAre(HasSubstr("yesterday is not a time")));
  for (const std::string text : {"now", "b.1:3", "b.1:", "b:4", ":4", "[a]"})
    EXPECT_THAT(problems("source: {start: \"" + text + "\"}"),
                ElementsAre(HasSubstr("is not latest, earliest, {file")))
        << text;
  EXPECT_THAT(problems("source: {start: [b.1, 4]}"),
              ElementsAre(HasSubstr("is expected, not a list")));
}

TEST(Load, ChecksTheInstancesName) {
  EXPECT_THAT(problems("instance: " + std::string(64, 'a')), IsEmpty());
  for (const std::string& name :
       {std::string(65, 'a'), std::string("a.b"), std::string("\"\""), std::string("ä")})
    EXPECT_THAT(problems("instance: " + name), ElementsAre(StartsWith("c.yaml:1:11: instance: ")))
        << name;
}

TEST(Load, AClusterIsNamedByItsNodesAlone) {
  EXPECT_THAT(problems("redis: {cluster: [a, 'b:7000'], wait_replicas: 1}"), IsEmpty());
  EXPECT_THAT(problems("redis: {cluster: [a], database: 1}"),
              ElementsAre("c.yaml:1:33: redis.database: a cluster has only 0"));
  EXPECT_THAT(problems("redis: {cluster: [a], host: b, port: 1}"),
              ElementsAre(EndsWith("redis.host: does not go with cluster"),
                          EndsWith("redis.port: does not go with cluster")));
  EXPECT_THAT(problems("redis: {cluster: [a], socket: /s}"),
              ElementsAre(EndsWith("redis.socket: does not go with cluster")));
  EXPECT_THAT(problems("redis: {cluster: [a], sentinels: [b], sentinel_master: m}"),
              ElementsAre(EndsWith("redis.sentinels: does not go with cluster")));
}

TEST(Load, ChecksValuesThatDoNotGoTogether) {
  EXPECT_THAT(problems("source: {tls: {cert: c}}"),
              ElementsAre("c.yaml:1:22: source.tls.cert: is given without key"));
  EXPECT_THAT(problems("source: {tls: {key: k}}"),
              ElementsAre("c.yaml:1:21: source.tls.key: is given without cert"));
  EXPECT_THAT(problems("source: {tls: {cert: c, key: k, mode: verify_ca}}"), IsEmpty());
  EXPECT_THAT(problems("queue: {tls: {mode: preferred}}"),
              ElementsAre(StartsWith("c.yaml:1:21: queue.tls.mode: AMQP cannot ask")));
  EXPECT_THAT(problems("queue: {hosts: [a, 'b:5671', '[fd00::7]:5671'], tls: {mode: required}}"),
              IsEmpty());
  EXPECT_THAT(
      problems(
          "source: {host: ''}\nqueue: {host: ''}\nredis: {host: '', socket: /s}\nstate_dir: ''"),
      ElementsAre("c.yaml:1:16: source.host: is empty", "c.yaml:2:15: queue.host: is empty",
                  "c.yaml:4:12: state_dir: is empty"));
  EXPECT_THAT(problems("redis: {sentinels: [a, 'b:26380'], sentinel_master: m}"), IsEmpty());
  EXPECT_THAT(problems("redis: {sentinels: [a]}"),
              ElementsAre(StartsWith("c.yaml:1:20: redis.sentinels: need sentinel_master")));
  EXPECT_THAT(problems("redis: {sentinel_master: m}"),
              ElementsAre("c.yaml:1:26: redis.sentinel_master: is given without sentinels"));
  EXPECT_THAT(problems("redis: {tls: {mode: verify_identity}}"), IsEmpty());
  EXPECT_THAT(problems("redis: {tls: {mode: preferred, cert: c}}"),
              ElementsAre(StartsWith("c.yaml:1:21: redis.tls.mode: Redis cannot be asked"),
                          "c.yaml:1:38: redis.tls.cert: is given without key"));
  EXPECT_THAT(problems("redis: {socket: /s, tls: {mode: required}}"),
              ElementsAre(StartsWith("c.yaml:1:33: redis.tls.mode: a unix socket is not")));
  EXPECT_THAT(problems("redis: {sentinels: [a], sentinel_master: m, socket: /s}"),
              ElementsAre("c.yaml:1:53: redis.socket: does not go with sentinels"));
  EXPECT_THAT(problems("tables: [{partition_by: [a, b, a]}]"),
              ElementsAre("c.yaml:1:25: tables[0].partition_by: column a is there twice"));
}

}  // namespace
}  // namespace sluice
