// `sluice dead list`, `show` and `drop`.
#include <iomanip>

#include "sluice/config/values.h"

#include "pipeline/dead_letters.h"
#include "pipeline/start.h"

namespace sluice::pipeline {
namespace {

std::string time_text(std::int64_t us) {
  return us == 0 ? "-" : utc_time_text(us / 1'000'000);
}

std::string position_text(const queue::Letter& letter) {
  return letter.file.empty() ? "-" : letter.file + ":" + std::to_string(letter.pos);
}

std::string_view or_dash(std::string_view text) {
  return text.empty() ? "-" : text;
}

void show(const queue::Letter& letter, std::uint64_t number, std::ostream& out) {
  out << "letter     " << number << "\n"
      << "id         " << letter.id.to_string() << "\n"
      << "reason     " << or_dash(letter.reason) << "\n"
      << "error      " << or_dash(printable(letter.error)) << "\n"
      << "table      " << or_dash(letter.table) << "\n"
      << "key        " << or_dash(printable(letter.key)) << "\n"
      << "position   " << position_text(letter) << "\n"
      << "gtid       " << or_dash(letter.gtid) << "\n"
      << "partition  " << letter.partition << "\n"
      << "committed  " << time_text(letter.commit_us) << " UTC\n"
      << "refused    " << time_text(letter.refused_us) << " UTC\n"
      << "body       " << letter.body.size() << " bytes\n"
      << letter.body << (letter.body.ends_with('\n') ? "" : "\n");
}

// Calls `each` with the chosen letters and their numbers, from the oldest on.
template <class Each>
Result<std::uint64_t> visit(queue::LetterBox& box, const LetterChoice& choice, const Each& each) {
  SLUICE_TRY_ASSIGN(ChosenLetters chosen, ChosenLetters::make(choice));
  std::uint64_t number = 0, taken = 0;
  while (!chosen.full()) {
    SLUICE_TRY_ASSIGN(const auto stored, box.next());
    if (!stored) break;
    ++number;
    if (!chosen.take(stored->letter)) continue;
    ++taken;
    SLUICE_TRY(each(*stored, number));
  }
  return taken;
}

}  // namespace

std::string printable(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto b = static_cast<unsigned char>(c);
    if (b >= 0x20 && b != 0x7F) {
      out += c;
    } else {
      out += "\\x";
      out += kDigits[b >> 4U];
      out += kDigits[b & 15U];
    }
  }
  return out;
}

Result<ChosenLetters> ChosenLetters::make(const LetterChoice& choice) {
  ChosenLetters out;
  if (!choice.table.empty()) {
    auto pattern = Pattern::compile(choice.table);
    if (!pattern) return fatal(Errc::usage, "--table: " + pattern.error().what);
    out.table_ = std::move(pattern).value();
  }
  if (!choice.id.empty()) {
    const auto id = EventId::parse(choice.id);
    if (!id) return fatal(Errc::usage, "--id: " + id.error().what);
    out.id_ = *id;
  }
  out.reason_ = choice.reason;
  out.limit_ = choice.limit;
  return out;
}

bool ChosenLetters::take(const queue::Letter& letter) {
  if (full() || (table_ && !table_->matches(letter.table)) ||
      (!reason_.empty() && reason_ != letter.reason) || (id_ && *id_ != letter.id))
    return false;
  ++taken_;
  return true;
}

std::string dead_letters_text(const queue::Names& names, const queue::QueueInfo& info) {
  if (info.messages == 0 && info.consumers == 0) return {};
  return "queue " + names.dead() + " holds " + std::to_string(info.messages) + " dead letters" +
         (info.consumers == 0 ? "" : " besides those somebody looks at") +
         ": these rows are not in Redis -> sluice dead list";
}

std::string dead_letters_now(const Options& options) {
  const auto admin = queue::Admin::connect(options.queue);
  if (!admin) return {};
  const queue::Names names = names_of(options);
  const auto info = (*admin)->inspect(names.dead());
  return info && *info ? dead_letters_text(names, **info) : std::string();
}

Status dead_list(const Options& options, const LetterChoice& choice, std::ostream& out) {
  SLUICE_TRY_ASSIGN(const auto box, queue::LetterBox::open(options.queue, names_of(options)));
  SLUICE_TRY_ASSIGN(
      const std::uint64_t shown,
      visit(*box, choice, [&out](const queue::LetterBox::Stored& s, std::uint64_t number) {
        const queue::Letter& l = s.letter;
        out << number << "  " << time_text(l.refused_us) << "  " << or_dash(l.table) << "  "
            << or_dash(printable(l.key)) << "  " << or_dash(l.reason) << "  " << position_text(l)
            << "  " << l.id.to_string() << "\n";
        return Status();
      }));
  out << shown << " of " << box->count() << " letters\n";
  return {};
}

Status dead_show(const Options& options, const LetterChoice& choice, std::ostream& out) {
  SLUICE_TRY_ASSIGN(const auto box, queue::LetterBox::open(options.queue, names_of(options)));
  SLUICE_TRY_ASSIGN(
      const std::uint64_t shown,
      visit(*box, choice, [&out](const queue::LetterBox::Stored& s, std::uint64_t number) {
        show(s.letter, number, out);
        out << "\n";
        return Status();
      }));
  out << shown << " of " << box->count() << " letters\n";
  return {};
}

Status dead_drop(const Options& options, const LetterChoice& choice, bool confirmed,
                 std::ostream& out) {
  SLUICE_TRY_ASSIGN(const auto box, queue::LetterBox::open(options.queue, names_of(options)));
  SLUICE_TRY_ASSIGN(
      const std::uint64_t dropped,
      visit(*box, choice, [&box, confirmed](const queue::LetterBox::Stored& s, std::uint64_t) {
        return confirmed ? box->remove(s.tag) : Status();
      }));
  const std::uint64_t all = box->count();
  SLUICE_TRY(box->close());
  out << (confirmed ? "dropped " : "would drop ") << dropped << " of " << all << " letters\n";
  if (!confirmed)
    out << "nothing was changed; add --yes to do it. What they are about stays as it is in Redis\n";
  return {};
}

}  // namespace sluice::pipeline
