// The example file and the reference, both made from the declarations alone.
#include <algorithm>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "sluice/config/show.h"

namespace sluice {
namespace {

template <class Member>
constexpr bool kIsOption = std::is_same_v<std::remove_cvref_t<Member>, OptionBase>;
template <class Member>
constexpr bool kIsSection = std::is_same_v<std::remove_cvref_t<Member>, Section>;

// ---- the example

constexpr std::size_t kWidth = 100;

constexpr std::string_view kExampleHead =
    "# Sluice: every option with its default.  This file loads as it is; take the # off a line "
    "that\n"
    "# starts with #NAME to change it.  Made by `sluice config example`; explained in\n"
    "# docs/configuration.md.\n"
    "\n";

// Appends the words as comment lines of at most kWidth characters.
void add_comment(std::span<const std::string> words, const std::string& indent, std::string& out) {
  std::size_t line = 0;  // length of the line being written, 0 before the first
  for (const std::string& word : words) {
    if (line == 0 || line + 1 + word.size() > kWidth) {
      if (line != 0) out += '\n';
      out.append(indent).append("#");
      line = indent.size() + 1;
    }
    out.append(" ").append(word);
    line += 1 + word.size();
  }
  out += '\n';
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// TCP port. (1..65535; default 3306)
void add_sentence(const OptionBase& option, const std::string& indent, std::string& out) {
  std::string bounds = "(";
  if (!option.range().empty()) bounds += option.range() + "; ";
  bounds += "default " + option.default_yaml();
  if (option.is_secret()) bounds += "; or " + std::string(option.name()) + "_file: PATH";
  std::vector<std::string> words = words_of(option.doc());
  words.push_back(bounds + ")");  // one word: not to be torn apart
  add_comment(words, indent, out);
}

// `dash` makes it a part of a list's entry.
void add_example_option(const OptionBase& option, const std::string& indent, std::string_view dash,
                        std::string& out) {
  add_sentence(option, indent, out);
  out.append(indent).append("#").append(dash).append(option.name());
  out.append(": ").append(option.default_yaml()).append("\n");
}

// One entry; its first option carries the dash.
void add_example_entry(const Section& entry, const std::string& indent, std::string& out) {
  std::string_view dash = "- ";
  entry.each([&](const auto& member) {
    if constexpr (kIsOption<decltype(member)>) {
      add_example_option(member, indent, dash, out);
    } else if constexpr (!kIsSection<decltype(member)>) {
      out += '\n';
      add_comment(words_of(member.doc()), indent, out);
      out.append(indent).append("#  ").append(member.name()).append(":\n");
      add_example_entry(member.sample(), indent + "  ", out);
    }
    dash = "  ";
  });
}

void add_example(const Section& section, const std::string& indent, std::string& out) {
  section.each([&](const auto& member) {
    if constexpr (kIsOption<decltype(member)>) {
      add_example_option(member, indent, "", out);
    } else {
      out += '\n';
      add_comment(words_of(member.doc()), indent, out);
      out.append(indent).append(member.name()).append(":\n");
      if constexpr (kIsSection<decltype(member)>) {
        add_example(member, indent + "  ", out);
      } else {
        add_example_entry(member.sample(), indent + "  ", out);
      }
    }
  });
}

// ---- the reference

constexpr std::string_view kReferenceHead = R"(# Configuration

Made by `sluice config reference` from `include/sluice/config/options.h`; a test compares the two.

The configuration is one YAML file. Every option has a default, so an empty file is a valid one;
`config/sluice.example.yaml` holds them all. `sluice config print` prints what is in force, secrets as `***`.

A file is refused as a whole, with every problem in it as `FILE:LINE:COLUMN: message`: an unknown option, one
that is there twice, a value of another type or out of range, a variable or a file that is not there.

**Environment.** `${NAME}` in any value is replaced by the environment variable of that name, which must
exist. `$${` stands for the characters `${`.

**Secrets.** An option of the type secret, say `password`, can be given as `password_file: PATH` instead: the
secret is what the file holds, without the line end at its end. A relative path starts at the folder of the configuration
file. A file that everyone can read is warned of. `password` and `password_file` together are refused.

**Durations** are whole numbers with a unit: `100ms`, `30s`, `10min`, `1h`. There is no bare number but `0`.

**Sizes** are bytes, or whole numbers with a unit: `64KiB`, `1MiB`, `1GiB` (powers of 1024), `10kB`, `10MB`, `1GB`
(powers of 1000).

**Patterns** are regular expressions in RE2's syntax that have to fit the whole of `database.table`: `shop\..*` is all tables
of `shop`. Between single quotes YAML leaves backslashes alone: `include: ['shop\.orders', 'shop\.items']`. `{00..63}` is any number of the
range; two backslashes are one. Letters of either case are equal when the source takes them as equal in names. More in `docs/filters.md`.
)";

// `text` with a backslash before each of `special`.
std::string escape(std::string_view text, std::string_view special) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

// A cell of a table: prose, or what is typed.
std::string prose(std::string_view text) {
  return escape(text, "|*<");
}
std::string code(std::string_view text) {
  return text.empty() ? std::string() : "`" + escape(text, "|") + "`";
}

std::string_view without_article(std::string_view type) {
  for (const std::string_view article : {"a ", "an "}) {
    if (type.starts_with(article)) return type.substr(article.size());
  }
  return type;
}

void add_table(const Section& section, std::string& out) {
  out += "\n| option | type | default | range | meaning |\n|---|---|---|---|---|\n";
  section.each([&out](const auto& member) {
    if constexpr (kIsOption<decltype(member)>) {
      out += "| " + code(member.name()) + " | " + prose(without_article(member.type())) + " | " +
             code(member.default_yaml()) + " | " + code(member.range()) + " | " +
             prose(member.doc()) + " |\n";
    }
  });
}

// The section's own options, then its parts, each under its own heading.
void add_reference(const Section& section, const std::string& path, std::string& out) {
  add_table(section, out);
  section.each([&](const auto& member) {
    if constexpr (!kIsOption<decltype(member)>) {
      const std::string inner = path + std::string(member.name());
      out += "\n## " + inner + "\n\n" + std::string(member.doc());
      if constexpr (kIsSection<decltype(member)>) {
        out += '\n';
        add_reference(member, inner + ".", out);
      } else {
        out += " A list; each entry has these options.\n";
        add_reference(member.sample(), inner + ".", out);
      }
    }
  });
}

}  // namespace

std::string example_yaml() {
  std::string out(kExampleHead);
  add_example(Options(), "", out);
  return out;
}

std::string reference_markdown() {
  std::string out(kReferenceHead);
  out += "\n## Top level\n";
  add_reference(Options(), "", out);
  return out;
}

}  // namespace sluice
