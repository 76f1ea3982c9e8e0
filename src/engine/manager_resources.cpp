// When limits are to be applied anew: the machine has booted or begins to shut down
// (StartupCPUWeight= and its kin, systemd.resource-control(5)), or the unit files were
// read again. One unit a step: where memory runs out it is tried again.
#include "engine/manager.h"

namespace onset {
namespace {

bool has_startup_values(const Unit& unit) {
  const ResourceConfig* c = unit.resource.get();
  return c != nullptr && (c->startup_cpu_weight || c->startup_cpu_shares || c->startup_io_weight ||
                          c->startup_block_io_weight || !c->startup_allowed_cpus.empty() ||
                          !c->startup_allowed_memory_nodes.empty());
}

}  // namespace

/// After each turn of the queues.
void Manager::note_startup() {
  const bool is_startup = starting() || stopping();
  if (std::exchange(has_startup_limits_, is_startup) == is_startup) return;
  for (std::uint32_t i = 0; i < graph_->size(); ++i) {
    if (!has_startup_values(graph_->unit(UnitId{i}))) continue;
    apply_from_ = 0;
    has_more_ = true;
    return;
  }
}

void Manager::apply_all_resources() {
  apply_from_ = 0;
  apply_all_ = true;
  has_more_ = true;
}

/// False: there are none left.
bool Manager::apply_next_resources() {
  for (; apply_from_ < graph_->size(); ++apply_from_) {
    const UnitId id{apply_from_};
    const Unit& unit = graph_->unit(id);
    const bool is_up = runtime_[id.value].active != ActiveState::Inactive;
    if (!unit.cgroup || !is_up || !(apply_all_ || has_startup_values(unit))) continue;
    os_.apply_resources(*graph_, id, has_startup_limits_);
    ++apply_from_;
    return true;
  }
  apply_from_ = kNothingToApply;
  apply_all_ = false;
  return false;
}

}  // namespace onset
