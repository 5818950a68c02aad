#include "sluice/base/files.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace sluice {
namespace {

namespace fs = std::filesystem;

// A folder of its own, removed at the end.
class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "sluice-files-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string content(const char* name) {
    auto r = read_file(folder_ / name);
    return r.ok() ? *r : "<" + r.error().what + ">";
  }
  std::size_t entries() {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  fs::path folder_;
};

TEST_F(Files, ReadsBackWhatWasWritten) {
  std::string bytes = "line\n" + std::string("\0\xff", 2);
  bytes.append(200000, 'x');
  ASSERT_TRUE(write_file_durably(folder_ / "a", bytes).ok());
  EXPECT_EQ(content("a"), bytes);
  EXPECT_EQ(entries(), 1U);
  struct stat st {};
  ASSERT_EQ(::stat((folder_ / "a").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0137U, 0U);  // nothing beyond 0640
}

TEST_F(Files, KeepsTheOldContentAsTheBackup) {
  const fs::path backup = folder_ / "a.bak";
  ASSERT_TRUE(write_file_durably(folder_ / "a", "one", backup).ok());
  EXPECT_FALSE(fs::exists(backup));
  ASSERT_TRUE(write_file_durably(folder_ / "a", "two", backup).ok());
  ASSERT_TRUE(write_file_durably(folder_ / "a", "three", backup).ok());
  EXPECT_EQ(content("a"), "three");
  EXPECT_EQ(content("a.bak"), "two");
  EXPECT_EQ(entries(), 2U);
}

TEST_F(Files, LeftoversOfACutWriteDoNotMatter) {
  ASSERT_TRUE(write_file_durably(folder_ / "a", "one", folder_ / "a.bak").ok());
  for (const char* left : {"a.tmp", "a.bak.tmp"})
    ASSERT_TRUE(
        write_file_durably(folder_ / left, "half a file that is longer than what comes next").ok());
  ASSERT_TRUE(write_file_durably(folder_ / "a", "two", folder_ / "a.bak").ok());
  EXPECT_EQ(content("a"), "two");
  EXPECT_EQ(content("a.bak"), "one");
}

TEST_F(Files, ErrorsNameThePathAndTheReason) {
  const auto missing = read_file(folder_ / "none");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, Errc::io);
  EXPECT_NE(missing.error().what.find((folder_ / "none").string()), std::string::npos);
  EXPECT_NE(missing.error().what.find("No such file"), std::string::npos);
  const auto status = write_file_durably(folder_ / "none" / "a", "x");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Errc::io);
}

TEST_F(Files, AFullDiskIsAnErrorOfItsOwnThatTellsHowMuchIsFree) {
  auto full = AppendFile::open("/dev/full");
  ASSERT_TRUE(full.ok());
  const Status s = full->append("a line\n");
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().cls, ErrorClass::fatal);
  EXPECT_EQ(s.error().code, Errc::no_space);
  EXPECT_EQ(s.error().what.find("write /dev/full: No space left on device ("), 0U)
      << s.error().what;
  EXPECT_NE(s.error().what.find(" free)"), std::string::npos) << s.error().what;
  EXPECT_EQ(io_error("fsync", folder_ / "a", EDQUOT).code, Errc::no_space);
  EXPECT_EQ(io_error("fsync", folder_ / "a", EIO).code, Errc::io);
}

// Files may grow to so many bytes while it lives: writes are done in part, then refused.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    was_handled_ = std::signal(SIGXFSZ, SIG_IGN);
    EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &was_), 0);
    const rlimit now{bytes, was_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &now), 0);
  }
  ~FileSizeLimit() {
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &was_), 0);
    std::signal(SIGXFSZ, was_handled_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*was_handled_)(int) = nullptr;
  rlimit was_{};
};

TEST_F(Files, AnAppendThatWasDoneInPartIsTakenOutAgain) {
  ASSERT_TRUE(write_file_durably(folder_ / "log", "one\n").ok());
  auto file = AppendFile::open(folder_ / "log");
  ASSERT_TRUE(file.ok());
  {
    const FileSizeLimit limit(7);
    EXPECT_FALSE(file->append("two\nthree\n").ok());
  }
  EXPECT_EQ(content("log"), "one\n");
  EXPECT_EQ(file->size(), 4U);
  ASSERT_TRUE(file->append("two\n").ok());
  EXPECT_EQ(content("log"), "one\ntwo\n");
}

TEST_F(Files, AFileThatCannotBeReplacedStaysAndNothingElseIsLeft) {
  ASSERT_TRUE(write_file_durably(folder_ / "a", "one", folder_ / "a.bak").ok());
  ASSERT_TRUE(write_file_durably(folder_ / "a", "two", folder_ / "a.bak").ok());
  {
    const FileSizeLimit limit(3);
    EXPECT_FALSE(write_file_durably(folder_ / "a", "three", folder_ / "a.bak").ok());
  }
  EXPECT_EQ(content("a"), "two");
  EXPECT_EQ(content("a.bak"), "one");
  EXPECT_EQ(entries(), 2U);
}

TEST_F(Files, ALockIsHeldByOneAtATimeAndNamesItsHolder) {
  auto first = lock_file(folder_ / "lock");
  ASSERT_TRUE(first.ok());
  const auto second = lock_file(folder_ / "lock");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Errc::position_locked);
  EXPECT_NE(second.error().what.find("process " + std::to_string(::getpid()) + ":"),
            std::string::npos)
      << second.error().what;
  first->reset();
  EXPECT_TRUE(lock_file(folder_ / "lock").ok());
}

}  // namespace
}  // namespace sluice
