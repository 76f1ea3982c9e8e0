#include "support/unit_table.h"

#include "base/diagnostic.h"

namespace onset::test {
namespace {

constexpr std::string_view kFolder = "/units/";

}  // namespace

UnitTable::UnitTable(Rows rows) {
  for (auto& [name, text] : rows) set(name, std::move(text));
}

void UnitTable::set(const std::string& name, std::string text) {
  const std::string path = std::string(kFolder) + name;
  (void)files_.remove(path);
  if (text.starts_with("-> ")) {
    files_.add_link(path, text.substr(3));
  } else if (text == "/dev/null") {
    files_.add_link(path, text);
  } else {
    files_.add(path, text);
  }
  loader_.reset();
}

std::unique_ptr<Unit> UnitTable::load(std::string_view name, Diagnostics& diagnostics) {
  asked.emplace_back(name);
  if (loader_ == nullptr) {
    LoaderConfig config;
    config.search_path = {std::string(kFolder.substr(0, kFolder.size() - 1))};
    loader_ = std::make_unique<UnitLoader>(files_, std::move(config));
  }
  Diagnostics found;
  std::unique_ptr<Unit> unit = loader_->load(name, found);
  if (!found.empty() && unit->load_state == LoadState::Loaded) {
    unit->load_state = LoadState::BadSetting;
    unit->load_error = to_string(found.front());
  }
  diagnostics.insert(diagnostics.end(), found.begin(), found.end());
  return unit;
}

}  // namespace onset::test
