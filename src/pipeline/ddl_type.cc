#include "pipeline/ddl_type.h"

#include "sluice/binlog/sql_lexer.h"

namespace sluice::pipeline {
namespace {

using binlog::SqlToken;
using Kind = binlog::StatementKind;

// CREATE, ALTER, RENAME, and CREATE or DROP INDEX.
std::string_view of_words(std::string_view statement, std::uint64_t sql_mode) {
  binlog::SqlLexer lexer(statement, sql_mode);
  SqlToken token = lexer.next();
  // MariaDB's SET STATEMENT ... FOR is what follows.
  if (token.is("SET"))
    while (token.kind != SqlToken::Kind::end && !token.is("FOR")) token = lexer.next();
  if (token.is("FOR")) token = lexer.next();
  if (token.is("ALTER")) return "ALTER";
  if (token.is("RENAME")) return "RENAME";
  if (token.is("DROP")) return "DINDEX";
  for (token = lexer.next(); token.kind == SqlToken::Kind::word; token = lexer.next()) {
    if (token.is("INDEX")) return "CINDEX";
    if (token.is("TABLE")) break;
  }
  return "CREATE";
}

}  // namespace

std::string_view ddl_type(Kind kind, std::string_view statement, std::uint64_t sql_mode) {
  switch (kind) {
    case Kind::create_select: return "CREATE";
    case Kind::truncate: return "TRUNCATE";
    case Kind::drop: return "ERASE";
    case Kind::ddl_table: return of_words(statement, sql_mode);
    default: return {};
  }
}

}  // namespace sluice::pipeline
