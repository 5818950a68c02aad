#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sluice/base/files.h"
#include "sluice/position/state_file.h"

#include "sample_state.h"

namespace sluice::position {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "sluice-store-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    folder_ = root_ / "state";
  }
  void TearDown() override { fs::remove_all(root_); }

  fs::path main_file() const { return folder_ / "state.json"; }
  fs::path backup_file() const { return folder_ / "state.json.bak"; }
  static void write(const fs::path& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  static State state_at(std::uint64_t pos) {
    State s = sample_state();
    s.position.pos = pos;
    return s;
  }
  // A store with two saves: 100 in the backup, 200 in the main file.
  Store saved_twice() {
    auto store = Store::open(folder_);
    EXPECT_TRUE(store.ok());
    EXPECT_TRUE(store->save(state_at(100)).ok());
    EXPECT_TRUE(store->save(state_at(200)).ok());
    return std::move(store).value();
  }

  fs::path root_, folder_;
};

TEST_F(StoreTest, MakesItsFolderAndHoldsNothingAtFirst) {
  const auto store = Store::open(folder_ / "deeper");
  ASSERT_TRUE(store.ok()) << to_string(store.error());
  const auto state = store->load();
  ASSERT_TRUE(state.ok());
  EXPECT_FALSE(state->has_value());
}

TEST_F(StoreTest, PeekOfAFolderThatIsNotThereFindsNothing) {
  const auto state = Store::peek(root_ / "nowhere");
  ASSERT_TRUE(state.ok());
  EXPECT_FALSE(state->has_value());
  EXPECT_FALSE(fs::exists(root_ / "nowhere"));
}

TEST_F(StoreTest, LoadsWhatWasSavedAndKeepsTheOneBefore) {
  const Store store = saved_twice();
  const auto state = store.load();
  ASSERT_TRUE(state.ok() && state->has_value());
  EXPECT_EQ(**state, state_at(200));
  const auto backup = read_file(backup_file());
  ASSERT_TRUE(backup.ok());
  EXPECT_EQ(*backup, encode(state_at(100)));
  EXPECT_FALSE(fs::exists(folder_ / "state.json.tmp"));
}

TEST_F(StoreTest, PeekReadsWhileAnotherHoldsTheLock) {
  const Store store = saved_twice();
  const auto state = Store::peek(folder_);
  ASSERT_TRUE(state.ok() && state->has_value());
  EXPECT_EQ((*state)->position.pos, 200U);
}

TEST_F(StoreTest, NeverTakesTheBackupByItself) {
  const Store store = saved_twice();
  fs::remove(main_file());
  const auto r = store.load();
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().cls, ErrorClass::fatal);
  EXPECT_EQ(r.error().code, Errc::position_damaged);
  EXPECT_THAT(
      r.error().what,
      AllOf(HasSubstr("is missing"), HasSubstr("is good and stands at binlog.000003:100"),
            HasSubstr("`cp " + backup_file().string() + " " + main_file().string() + "`"),
            HasSubstr("`rm -f " + main_file().string() + " " + backup_file().string() + "`")));
}

// A power cut under a file system that does not keep rename's promise: any prefix, or NULs, in the
// main file.
TEST_F(StoreTest, EveryTornMainFileIsRefusedAndTheBackupDescribed) {
  const Store store = saved_twice();
  const std::string whole = encode(state_at(200));
  for (std::size_t n = 0; n < whole.size() - 1; ++n) {
    write(main_file(), whole.substr(0, n));
    const auto r = store.load();
    ASSERT_FALSE(r.ok()) << n;
    ASSERT_EQ(r.error().code, Errc::position_damaged) << n;
    ASSERT_THAT(r.error().what, HasSubstr("is good and stands at binlog.000003:100")) << n;
    write(main_file(), whole.substr(0, n) + std::string(whole.size() - n, '\0'));
    ASSERT_FALSE(store.load().ok()) << n;
  }
}

TEST_F(StoreTest, TellsThePositionOfADamagedFileAsAHintOnly) {
  const Store store = saved_twice();
  std::string bad = encode(state_at(200));
  bad.replace(bad.find("\"epoch\": 2"), 10, "\"epoch\": 3");
  write(main_file(), bad);
  const auto r = store.load();
  ASSERT_FALSE(r.ok());
  EXPECT_THAT(r.error().what,
              AllOf(HasSubstr("checksum is"), HasSubstr("it says binlog.000003:200")));
}

TEST_F(StoreTest, SaysWhenTheBackupIsNoHelpEither) {
  const Store store = saved_twice();
  write(main_file(), "");
  write(backup_file(), std::string(100, '\0'));
  const auto both = store.load();
  ASSERT_FALSE(both.ok());
  EXPECT_THAT(both.error().what, AllOf(HasSubstr("is empty"), HasSubstr("is no help"),
                                       HasSubstr("rm -f"), Not(HasSubstr("cp "))));
  fs::remove(backup_file());
  const auto alone = store.load();
  ASSERT_FALSE(alone.ok());
  EXPECT_THAT(alone.error().what, AllOf(HasSubstr("there is no backup"), Not(HasSubstr("cp "))));
}

TEST_F(StoreTest, ADamagedBackupDoesNotMatterWhileTheMainFileIsGood) {
  const Store store = saved_twice();
  write(backup_file(), "");
  EXPECT_TRUE(store.load().ok());
}

TEST_F(StoreTest, ALeftoverTemporaryFileDoesNotMatter) {
  const Store store = saved_twice();
  write(folder_ / "state.json.tmp", "half a st");
  const auto state = store.load();
  ASSERT_TRUE(state.ok() && state->has_value());
  EXPECT_EQ((*state)->position.pos, 200U);
  EXPECT_TRUE(store.save(state_at(300)).ok());
  EXPECT_EQ((*store.load())->position.pos, 300U);
}

TEST_F(StoreTest, ALaterVersionIsNotTakenForDamage) {
  const Store store = saved_twice();
  std::string later = encode(state_at(200));
  later.replace(later.find("\"version\": 1"), 12, "\"version\": 2");
  write(main_file(), later);
  const auto r = store.load();
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, Errc::position_mismatch);
  EXPECT_THAT(r.error().what, HasSubstr(main_file().string()));
}

TEST_F(StoreTest, ASecondProcessIsToldWhoHoldsTheFolder) {
  std::array<int, 2> ready{};
  std::array<int, 2> quit{};
  ASSERT_EQ(::pipe(ready.data()), 0);
  ASSERT_EQ(::pipe(quit.data()), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto store = Store::open(folder_);
    char c = store.ok() ? 'y' : 'n';
    if (::write(ready[1], &c, 1) != 1) ::_exit(2);
    ::close(quit[1]);
    ::_exit(::read(quit[0], &c, 1) == 0 ? 0 : 3);  // until the parent closes its end
  }
  char c = 0;
  ASSERT_EQ(::read(ready[0], &c, 1), 1);
  EXPECT_EQ(c, 'y');
  const auto second = Store::open(folder_);
  ::close(quit[1]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Errc::position_locked);
  EXPECT_THAT(second.error().what, HasSubstr(std::to_string(child)));
  EXPECT_TRUE(Store::open(folder_).ok()) << "the lock outlived its process";
  for (const int fd : {ready[0], ready[1], quit[0]}) ::close(fd);
}

TEST_F(StoreTest, NamesTheFolderThatCannotBeMade) {
  write(root_ / "file", "x");
  const auto r = Store::open(root_ / "file" / "state");
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().cls, ErrorClass::fatal);
  EXPECT_EQ(r.error().code, Errc::io);
  EXPECT_THAT(r.error().what,
              AllOf(HasSubstr((root_ / "file" / "state").string()), HasSubstr("directory")));
}

TEST_F(StoreTest, NamesTheFileThatCannotBeWrittenAndKeepsTheOldOne) {
  const Store store = saved_twice();
  fs::create_directory(folder_ / "state.json.tmp");  // fails for root too, unlike permissions
  const auto r = store.save(state_at(300));
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, Errc::io);
  EXPECT_THAT(r.error().what, AllOf(HasSubstr("state.json.tmp"), HasSubstr("directory")));
  EXPECT_EQ((*store.load())->position.pos, 200U);
}

TEST_F(StoreTest, RefusesToSaveAStateItCouldNotLoad) {
  const Store store = saved_twice();
  State s = state_at(300);
  s.last.pop_back();
  ASSERT_FALSE(store.save(s).ok());
  EXPECT_EQ((*store.load())->position.pos, 200U);
}

}  // namespace
}  // namespace sluice::position
