// `sluice script test`: what a script makes of rows, without any server.
#include <string>
#include <utility>

#include "sluice/base/files.h"
#include "sluice/event/line_reader.h"
#include "sluice/mapping/mapper.h"
#include "sluice/pipeline/commands.h"

#include "pipeline/dead_letters.h"

namespace sluice::pipeline {
namespace {

// A number of RESP, which ends the line it is on.
std::size_t take_number(std::string_view& resp) {
  const std::size_t end = resp.find("\r\n");
  const std::size_t number = std::stoul(std::string(resp.substr(1, end - 1)));
  resp.remove_prefix(end + 2);
  return number;
}

// As one would type it.
std::string word_text(std::string_view word) {
  std::string text = printable(word);
  if (!text.empty() && text.find_first_of(" \"'") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? "\\" : "").append(1, c);
  return out + "\"";
}

// `resp` is our own: well-formed.
void print_commands(std::string_view resp, std::ostream& out) {
  while (!resp.empty()) {
    out << " ";
    for (std::size_t words = take_number(resp); words > 0; --words) {
      const std::size_t size = take_number(resp);
      out << " " << word_text(resp.substr(0, size));
      resp.remove_prefix(size + 2);
    }
    out << "\n";
  }
}

std::string_view kind_text(ChangeKind kind) {
  if (kind == ChangeKind::insert) return "insert";
  return kind == ChangeKind::update ? "update" : "delete";
}

}  // namespace

Status script_test(Options& options, const std::string& script, const std::string& input,
                   std::ostream& out) {
  SLUICE_TRY_ASSIGN(std::string text, read_file(script));
  SLUICE_TRY_ASSIGN(const std::string lines, read_file(input));
  options.tables.clear();
  options.tables.add().script.set(ScriptFile{script, std::move(text)});
  SLUICE_TRY(mapping::check_scripts(options));
  mapping::Mapper mapper(options);
  event::LineReader reader(options.rendering.binary() == RenderingOptions::Binary::base64);
  reader.open(lines);
  TextBuffer commands;
  mapping::CommandCounts counts;
  std::uint64_t rows = 0;
  std::uint64_t failed = 0;
  for (;;) {
    SLUICE_TRY_ASSIGN(const ChangeView* const view, reader.next());
    if (view == nullptr) break;
    for (const ChangeView::Row& row : view->rows) {
      ++rows;
      out << kind_text(view->kind) << " " << view->database << "." << view->table << " "
          << view->seq.with_row(row.index).to_string() << "\n";
      commands.clear();
      Status s = mapper.append(*view, row, commands, counts);
      if (!s.ok() && s.error().cls != ErrorClass::poison) return s;
      if (s.ok()) {
        print_commands(commands.view(), out);
      } else {
        ++failed;
        out << "  error: " << s.error().what << "\n";
      }
    }
  }
  out << rows << " rows, " << counts.commands << " commands, " << failed << " errors\n";
  if (failed == 0) return {};
  return fatal(Errc::usage, "the script failed for " + std::to_string(failed) + " of " +
                                std::to_string(rows) + " rows");
}

}  // namespace sluice::pipeline
