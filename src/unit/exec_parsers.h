#pragma once
// Parsers of systemd.exec(5)'s settings that have a syntax of their own; the
// rows are in directives_exec.cpp.

#include <string>
#include <string_view>

#include "unit/directive_codecs.h"

namespace onset {

// ---- who (exec_parsers.cpp) ---------------------------------------------------
std::string parse_user(ParseContext& context, std::string_view value, std::string ExecConfig::*to);
std::string parse_supplementary_groups(ParseContext& context, std::string_view value);
std::string parse_working_directory(ParseContext& context, std::string_view value);
std::string show_working_directory(const Unit& unit);
std::string parse_secure_bits(ParseContext& context, std::string_view value);
std::string show_secure_bits(const Unit& unit);
std::string parse_capabilities(ParseContext& context, std::string_view value,
                               std::optional<std::uint64_t> ExecConfig::*to, std::uint64_t initial);
/// One Exec…= line, added to the list; an empty value clears it.
std::string parse_exec_commands(ParseContext& context, std::string_view value,
                                std::vector<ExecCommand>& list);
std::string show_exec_commands(const std::vector<ExecCommand>& commands);
std::string parse_exec_limit(ParseContext& context, std::string_view value, int resource);
std::string show_exec_limit(const Unit& unit, int resource);

// ---- environment (exec_parsers.cpp) ---------------------------------------------
std::string parse_environment(ParseContext& context, std::string_view value);
std::string parse_environment_file_path(ParseContext& context, std::string_view value);
std::string show_environment_files(const Unit& unit);
std::string parse_environment_names(ParseContext& context, std::string_view value,
                                    std::vector<std::string> ExecConfig::*to, bool assignments);
std::string parse_search_path(ParseContext& context, std::string_view value);
std::string show_search_path(const Unit& unit);

// ---- standard streams and directories (exec_streams.cpp) ------------------------
std::string parse_standard_input(ParseContext& context, std::string_view value);
std::string show_standard_input(const Unit& unit);
std::string parse_standard_output(ParseContext& context, std::string_view value,
                                  std::optional<StdStream> ExecConfig::*to);
std::string show_standard_output(const Unit& unit, std::optional<StdStream> ExecConfig::*from);
std::string parse_input_text(ParseContext& context, std::string_view value);
std::string parse_input_data(ParseContext& context, std::string_view value);
std::string parse_directories(ParseContext& context, std::string_view value, ExecDirectory kind);
std::string show_directories(const Unit& unit, ExecDirectory kind);
std::string parse_directory_mode(ParseContext& context, std::string_view value, ExecDirectory kind);
std::string show_directory_mode(const Unit& unit, ExecDirectory kind);
std::string parse_preserve(ParseContext& context, std::string_view value);

}  // namespace onset
