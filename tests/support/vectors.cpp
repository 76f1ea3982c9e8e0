#include "support/vectors.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace onset::test {

namespace {

std::string unescaped(std::string_view field) {
  std::string out;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] != '\\') {
      out += field[i];
      continue;
    }
    const char letter = field.at(++i);
    if (letter == 't')
      out += '\t';
    else if (letter == 'n')
      out += '\n';
    else if (letter == 'x') {
      out += static_cast<char>(std::stoi(std::string(field.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else
      out += letter;
  }
  return out;
}

}  // namespace

std::vector<std::string> parts(std::string_view text, char separator) {
  std::vector<std::string> found;
  while (!text.empty()) {
    const std::size_t at = text.find(separator);
    found.emplace_back(text.substr(0, at));
    text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  }
  return found;
}

std::vector<Row> read_vectors(std::string_view name) {
  std::string path = ONSET_ORACLE_DIR "/";
  path.append(name).append(".tsv");
  std::ifstream file(path);
  std::vector<Row> rows;
  for (std::string line; std::getline(file, line);) {
    Row row;
    for (std::size_t from = 0; from <= line.size();) {
      const std::size_t end = std::min(line.find('\t', from), line.size());
      row.push_back(unescaped(std::string_view(line).substr(from, end - from)));
      from = end + 1;
    }
    rows.push_back(std::move(row));
  }
  if (rows.empty()) throw std::runtime_error("no vectors in " + path);
  return rows;
}

}  // namespace onset::test
