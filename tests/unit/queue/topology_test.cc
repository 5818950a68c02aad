#include "queue/topology.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "queue/amqp_bytes.h"

namespace sluice::queue {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

const BrokerInfo kOld{"RabbitMQ", "3.10.8", 3, 10};
const BrokerInfo kNew{"RabbitMQ", "4.3.6", 4, 3};

std::map<std::string, std::string> shown(QueueArguments arguments) {
  std::map<std::string, std::string> out;
  const amqp_table_t table = arguments.table();
  for (int i = 0; i < table.num_entries; ++i) {
    const auto& e = table.entries[i];
    std::string value =
        e.value.kind == AMQP_FIELD_KIND_UTF8      ? std::string(view(e.value.value.bytes))
        : e.value.kind == AMQP_FIELD_KIND_BOOLEAN ? (e.value.value.boolean != 0 ? "true" : "false")
                                                  : std::to_string(e.value.value.i64);
    out.emplace(view(e.key), std::move(value));
  }
  return out;
}

TEST(Topology, QuorumQueuesGetADeliveryLimitFromFourOnOnly) {
  using Type = QueueOptions::Type;
  EXPECT_THAT(
      shown({Type::quorum, QueueRole::partition, kOld}),
      ElementsAre(Pair("x-queue-type", "quorum"), Pair("x-single-active-consumer", "true")));
  EXPECT_THAT(shown({Type::quorum, QueueRole::partition, kNew}),
              ElementsAre(Pair("x-delivery-limit", "-1"), Pair("x-queue-type", "quorum"),
                          Pair("x-single-active-consumer", "true")));
  EXPECT_THAT(
      shown({Type::classic, QueueRole::partition, kNew}),
      ElementsAre(Pair("x-queue-type", "classic"), Pair("x-single-active-consumer", "true")));
}

TEST(Topology, ALimitedQueueRefusesAndNeverDropsItsHead) {
  using Type = QueueOptions::Type;
  for (const Type type : {Type::quorum, Type::classic}) {
    const auto partition = shown({type, QueueRole::partition, kOld, 5'000'000'000});
    EXPECT_EQ(partition.at("x-max-length-bytes"), "5000000000");
    EXPECT_EQ(partition.at("x-overflow"), "reject-publish");
    EXPECT_EQ(shown({type, QueueRole::dead, kNew, 5'000'000'000}).count("x-max-length-bytes"), 0U);
    EXPECT_EQ(shown({type, QueueRole::control, kNew, 5'000'000'000}).count("x-overflow"), 0U);
  }
}

TEST(Topology, TheDeadLetterQueueAloneHasManyConsumers) {
  using Type = QueueOptions::Type;
  EXPECT_THAT(shown({Type::quorum, QueueRole::dead, kOld}),
              ElementsAre(Pair("x-queue-type", "quorum")));
  EXPECT_EQ(shown({Type::quorum, QueueRole::control, kOld}).count("x-single-active-consumer"), 1U);
  EXPECT_EQ(shown({Type::quorum, QueueRole::ddl, kOld}).count("x-single-active-consumer"), 0U);
}

TEST(Topology, PrefetchSharesTheByteBudgetAndStaysWithinItsBounds) {
  constexpr std::uint64_t kMiB = 1U << 20U;
  EXPECT_EQ(prefetch_count(16 * kMiB, kMiB, 4), 4);
  EXPECT_EQ(prefetch_count(16 * kMiB, kMiB, 16), 2);  // floor
  EXPECT_EQ(prefetch_count(16 * kMiB, 1024, 1), 64);  // ceiling
  EXPECT_EQ(prefetch_count(16 * kMiB, kMiB, 0), 16);
  EXPECT_EQ(prefetch_count(1024 * kMiB, 0, 1), 64);
}

TEST(Topology, TheRemedyNamesTheQueue) {
  EXPECT_THAT(other_arguments_remedy("sluice.main.p16.3", "inequivalent arg 'x-delivery-limit'"),
              HasSubstr("rabbitmqctl delete_queue sluice.main.p16.3"));
  EXPECT_THAT(other_arguments_remedy("q", "inequivalent arg 'x-delivery-limit'"), HasSubstr("3.x"));
  EXPECT_THAT(other_arguments_remedy("q", "inequivalent arg 'x-delivery-limit'"),
              HasSubstr("set_policy"));
  EXPECT_THAT(other_arguments_remedy("q", "inequivalent arg 'x-max-length-bytes'"),
              HasSubstr("queue.max_length_bytes"));
  EXPECT_THAT(other_arguments_remedy("q", "inequivalent arg 'x-queue-type'"),
              HasSubstr("queue.type"));
}

}  // namespace
}  // namespace sluice::queue
